import { spawn } from 'node:child_process';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  type EngineProxy,
  images,
  loadImage,
  sharedEngine,
  startEngineProxy,
  type TestEngine,
  uniqueName,
} from '@evenkeel/testbed';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

let engine: TestEngine;
let proxy: EngineProxy;
const name = uniqueName('proxied');
beforeAll(async () => {
  engine = await sharedEngine();
  proxy = await startEngineProxy(engine);
  await loadImage(engine, await images.sleeper(), `local/${name}:1`);
  await engine.docker('run', '-d', '--name', name, `local/${name}:1`);
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await proxy.stop();
  await engine.cli('rm', '-f', name);
  await engine.stop();
});

const act = (verb: 'pause' | 'unpause') => proxy.request('POST', `/v1.41/containers/${name}/${verb}`);
const status = () => engine.docker('inspect', '-f', '{{.State.Status}}', name);

test('passes calls on and notes them without the version', async () => {
  expect((await proxy.request('GET', `/v1.41/containers/${name}/json`)).status).toBe(200);
  expect(proxy.calls.at(-1)).toBe(`GET /containers/${name}/json`);
});

test('drops the reply of a call that the engine has carried out', async () => {
  proxy.cutAfterRequest(/POST .*\/pause/, { times: 1 });
  await expect(act('pause')).rejects.toThrow();
  expect(await status()).toBe('paused');
  expect((await act('unpause')).status).toBe(204);
});

test('keeps a call from the engine: cut, refused, hanging', async () => {
  proxy.cutBeforeRequest(/pause/, { times: 1 });
  await expect(act('pause')).rejects.toThrow();
  proxy.refuse(/pause/, 403, 'not on the list', { times: 1 });
  expect(await act('pause')).toMatchObject({ status: 403, body: { message: 'not on the list' } });
  proxy.hang(/pause/, { times: 1 });
  const hanging = act('pause');
  hanging.catch(() => {});
  // A whole round trip beside it shows that the first call is not merely slow.
  expect(await status()).toBe('running');
  proxy.cutConnections();
  await expect(hanging).rejects.toThrow();
  expect(await status()).toBe('running');
});

test('delays a call', async () => {
  const order: string[] = [];
  proxy.delay(/pause/, 1_000, { times: 1 });
  const late = act('pause').then(() => order.push('pause'));
  await proxy.request('GET', '/_ping').then(() => order.push('ping'));
  await late;
  expect(order).toEqual(['ping', 'pause']);
  await act('unpause');
});

test('runs hooks before and after the engine carries the call out', async () => {
  const seen: string[] = [];
  const look = async () => void seen.push(await status());
  proxy.intercept(/pause/, { before: look, after: look }, { times: 1 });
  expect((await act('pause')).status).toBe(204);
  expect(seen).toEqual(['running', 'paused']);
  await act('unpause');
});

test('ends event streams, is down and comes up again', async () => {
  const events = await new Promise<IncomingMessage>((resolve) => {
    get({ socketPath: proxy.socketPath, path: '/v1.41/events' }, resolve);
  });
  const ended = text(events);
  ended.catch(() => {});
  proxy.down();
  await expect(ended).rejects.toThrow();
  await expect(proxy.request('GET', '/_ping')).rejects.toThrow();
  proxy.up();
  expect((await proxy.request('GET', '/_ping')).status).toBe(200);
});

test('carries raw streams of exec', async () => {
  const child = spawn('docker', ['-H', proxy.url, 'exec', '-i', name, 'cat']);
  child.stdin.end('through the proxy');
  expect(await text(child.stdout)).toBe('through the proxy');
});
