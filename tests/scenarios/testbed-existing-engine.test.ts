import { images, loadImage, startEngine, type TestEngine, uniqueName } from '@evenkeel/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';

let somebodys: TestEngine;
const before = process.env['EVENKEEL_TEST_ENGINE'];
beforeAll(async () => {
  delete process.env['EVENKEEL_TEST_ENGINE'];
  somebodys = await startEngine();
  await loadImage(somebodys, await images.sleeper(), 'local/app:1');
  process.env['EVENKEEL_TEST_ENGINE'] = somebodys.url;
});
afterAll(async () => {
  if (before === undefined) delete process.env['EVENKEEL_TEST_ENGINE'];
  else process.env['EVENKEEL_TEST_ENGINE'] = before;
  await somebodys.stop();
});

test('an existing engine is used as it is: never killed, and only what bears an issued name is removed', async () => {
  const engine = await startEngine();
  expect(engine.url).toBe(somebodys.url);
  for (const refused of [engine.kill, engine.killEverything, engine.terminate, engine.restart, engine.pause]) {
    await expect(refused()).rejects.toThrow('is not ours');
  }
  const name = uniqueName('web');
  const names = [name, `${name}.prev.1`, `${name}-not-ours`, 'web'];
  for (const each of names) await engine.docker('create', '--name', each, 'local/app:1');
  const network = uniqueName('net');
  await engine.docker('network', 'create', network);
  await engine.docker('network', 'create', 'front');
  const volume = uniqueName('vol');
  await engine.docker('volume', 'create', volume);
  await engine.docker('volume', 'create', 'data');
  await engine.stop();
  const left = await somebodys.docker('ps', '-a', '--format', '{{.Names}}');
  expect(left.split('\n').sort()).toEqual(['web', `${name}-not-ours`].sort());
  expect(await somebodys.docker('network', 'ls', '-q', '--filter', `name=${network}`)).toBe('');
  expect(await somebodys.docker('network', 'ls', '-q', '--filter', 'name=front')).not.toBe('');
  expect(await somebodys.docker('volume', 'ls', '-q')).toBe('data');
});

test('an address that is no Unix socket is refused with a sentence', async () => {
  process.env['EVENKEEL_TEST_ENGINE'] = 'tcp://127.0.0.1:2375';
  await expect(startEngine()).rejects.toThrow('EVENKEEL_TEST_ENGINE must be a Unix socket');
});
