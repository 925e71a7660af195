import { spawn } from 'node:child_process';
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
import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

let engine: TestEngine;
let proxy: EngineProxy;
let dispatcher: Agent;
const name = uniqueName('proxied');
beforeAll(async () => {
  engine = await sharedEngine();
  proxy = await startEngineProxy(engine);
  dispatcher = new Agent({ connect: { socketPath: proxy.socketPath } });
  await loadImage(engine, await images.sleeper(), `local/${name}:1`);
  await engine.docker('run', '-d', '--name', name, `local/${name}:1`);
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await dispatcher.destroy();
  await proxy.stop();
  await engine.cli('rm', '-f', name);
  await engine.stop();
});

const call = async (method: 'GET' | 'POST', path: string, signal?: AbortSignal) => {
  const response = await request(`http://engine/v1.41${path}`, {
    method,
    dispatcher,
    ...(signal === undefined ? {} : { signal }),
  });
  return { status: response.statusCode, text: await response.body.text() };
};
const status = () => engine.docker('inspect', '-f', '{{.State.Status}}', name);

test('passes calls on and notes them without the version', async () => {
  expect((await call('GET', `/containers/${name}/json`)).status).toBe(200);
  expect(proxy.calls.at(-1)).toBe(`GET /containers/${name}/json`);
});

test('drops the reply of a call that the engine has carried out', async () => {
  proxy.cutAfterRequest(/POST .*\/pause/, { times: 1 });
  await expect(call('POST', `/containers/${name}/pause`)).rejects.toThrow();
  expect(await status()).toBe('paused');
  expect((await call('POST', `/containers/${name}/unpause`)).status).toBe(204);
});

test('keeps a call from the engine: cut, refused, hanging', async () => {
  proxy.cutBeforeRequest(/pause/, { times: 1 });
  await expect(call('POST', `/containers/${name}/pause`)).rejects.toThrow();
  proxy.refuse(/pause/, 403, 'not on the list', { times: 1 });
  expect(await call('POST', `/containers/${name}/pause`)).toEqual({
    status: 403,
    text: '{"message":"not on the list"}',
  });
  proxy.hang(/pause/, { times: 1 });
  await expect(call('POST', `/containers/${name}/pause`, AbortSignal.timeout(200))).rejects.toThrow(/timeout/);
  expect(await status()).toBe('running');
});

test('runs hooks before and after the engine carries the call out', async () => {
  const seen: string[] = [];
  proxy.intercept(
    /pause/,
    { before: async () => void seen.push(await status()), after: async () => void seen.push(await status()) },
    { times: 1 },
  );
  expect((await call('POST', `/containers/${name}/pause`)).status).toBe(204);
  expect(seen).toEqual(['running', 'paused']);
  await engine.docker('unpause', name);
});

test('ends event streams, is down and comes up again', async () => {
  const events = await request('http://engine/v1.41/events', { dispatcher });
  const ended = events.body.text();
  ended.catch(() => {});
  proxy.down();
  await expect(ended).rejects.toThrow();
  await expect(call('GET', '/_ping')).rejects.toThrow();
  proxy.up();
  expect((await call('GET', '/_ping')).status).toBe(200);
});

test('carries raw streams of exec', async () => {
  const child = spawn('docker', ['-H', proxy.url, 'exec', '-i', name, 'cat']);
  child.stdin.end('through the proxy');
  expect(await text(child.stdout)).toBe('through the proxy');
});
