import type { LogLine, RouteSpec } from '@evenkeel/contract';
import {
  type EngineProxy,
  images,
  loadImage,
  sharedEngine,
  startEngineProxy,
  type TestEngine,
  uniqueName,
  waitFor,
} from '@evenkeel/testbed';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createContainers,
  createLogFollower,
  registerContainerRoutes,
} from '../../packages/server/src/containers/index.ts';
import { readLogs } from '../../packages/server/src/containers/read-logs.ts';
import { createHosts, type Hosts } from '../../packages/server/src/hosts/index.ts';
import { createOperations, operationsMigrations } from '../../packages/server/src/operations/index.ts';
import { systemClock } from '../../packages/server/src/platform/clock.ts';
import { createEngine } from '../../packages/server/src/platform/engine/create-engine.ts';
import type { Router } from '../../packages/server/src/platform/http/router.ts';
import { openMemoryStore } from '../../packages/server/src/platform/store/store.ts';

const log = pino({ level: 'silent' });
const image = `${uniqueName('shell')}:1`;
const made: string[] = [];
let engine: TestEngine;
let proxy: EngineProxy;
let hosts: Hosts;
let followLogs: ReturnType<typeof createLogFollower>;
let containers: ReturnType<typeof createContainers>;

beforeAll(async () => {
  engine = await sharedEngine();
  await loadImage(engine, await images.sleeper({ labels: { for: image } }), image);
  proxy = await startEngineProxy(engine);
  hosts = createHosts({
    configured: [{ id: 'local', name: 'local', endpoint: proxy.url }],
    engineFor: ({ endpoint }) => createEngine({ endpoint, log }),
    clock: systemClock,
    log,
  });
  containers = createContainers({ hosts });
  followLogs = createLogFollower({ hosts, containers, clock: systemClock });
  await waitFor(() => hosts.collection.get('local')?.state === 'online', { timeoutMs: 60_000 });
});

afterAll(async () => {
  for (const name of made) await engine.cli('rm', '-f', name);
  await engine.cli('rmi', image);
  await hosts.close();
  await proxy.stop();
  await engine.stop();
});

/** A container that runs the script; waits until the inventory knows it. */
async function run(name: string, script: string, ...options: string[]): Promise<string> {
  made.push(name);
  const id = await engine.docker('run', '-d', '--name', name, ...options, image, 'sh', '-c', script);
  await waitFor(() => hosts.picture('local').containers.get(id)?.Name === `/${name}`, { timeoutMs: 60_000 });
  return id;
}

function follow(container: string, tail = 500) {
  const controller = new AbortController();
  const lines: LogLine[] = [];
  const states: string[] = [];
  const { signal } = controller;
  followLogs({
    host: 'local',
    container,
    tail,
    since: undefined,
    signal,
    onLines: (more) => lines.push(...more),
    onState: (state) => states.push(state),
  });
  const seen = (text: string) =>
    waitFor(() => lines.some((line) => line.text === text), { describe: `"${text}"`, timeoutMs: 60_000 });
  return { lines, states, seen, stop: () => controller.abort(), texts: () => lines.map(({ text }) => text) };
}

const untilTerminated = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

test('a follower by name goes on with the container that replaces the one it followed', async () => {
  const name = uniqueName('replaced');
  await run(name, `echo one; echo two; ${untilTerminated}`);
  const follower = follow(name);
  await follower.seen('two');
  await engine.docker('rename', name, `${name}-old`);
  made.push(`${name}-old`);
  await engine.docker('stop', '-t', '5', `${name}-old`);
  await run(name, `echo three; ${untilTerminated}`);
  await follower.seen('three');
  await engine.docker('rm', '-f', name);
  await run(name, 'echo "FATAL cannot start"; exit 1');
  await follower.seen('FATAL cannot start');
  follower.stop();
  expect(follower.texts()).toEqual(['one', 'two', 'three', 'FATAL cannot start']);
  expect(follower.lines.at(-1)?.level).toBe('fatal');
  expect(follower.states.filter((state) => state === 'replaced')).toHaveLength(2);
  expect(follower.states).not.toContain('failed');
});

test('a follower goes on after a restart without telling a line twice', async () => {
  const name = uniqueName('restarted');
  const id = await run(name, `echo "start $(cat /proc/sys/kernel/random/uuid)"; ${untilTerminated}`);
  const follower = follow(id);
  await waitFor(() => follower.lines.length === 1, { timeoutMs: 60_000 });
  await engine.docker('restart', '-t', '5', name);
  await waitFor(() => follower.lines.length >= 2, { timeoutMs: 60_000 });
  follower.stop();
  expect(new Set(follower.texts()).size).toBe(follower.lines.length);
});

test('many who follow a container that writes fast share one stream, and none misses a line or gets one twice', async () => {
  const name = uniqueName('shared');
  const count = 6000;
  const script = `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo "line $i"; [ $((i % 100)) = 0 ] && sleep 0.05; done; ${untilTerminated}`;
  const id = await run(name, script);
  const first = follow(id, 5000);
  await waitFor(() => first.lines.length > 500, { timeoutMs: 60_000 });
  const others = [follow(id, 5), follow(name, 100), follow(id, 10_000), follow(name, 0)];
  await Promise.all([first, ...others].map((follower) => follower.seen(`line ${count}`)));
  for (const follower of [first, ...others]) {
    const numbers = follower.texts().map((text) => Number(text.slice(5)));
    const [beginning = 0] = numbers;
    expect(numbers).toEqual(Array.from({ length: count - beginning + 1 }, (_, index) => beginning + index));
  }
  const opened = proxy.calls.filter((call) => call.includes(`/${id}/logs`) && call.includes('follow=1'));
  expect(opened).toHaveLength(1);
  for (const follower of [first, ...others]) follower.stop();
});

test('a follower by id is told when its container is removed, and is done', async () => {
  const name = uniqueName('removed');
  const id = await run(name, `echo here; ${untilTerminated}`);
  const follower = follow(id);
  await follower.seen('here');
  await engine.docker('rm', '-f', name);
  await waitFor(() => follower.states.at(-1) === 'failed', { describe: 'the end', timeoutMs: 60_000 });
  expect(follower.states).toEqual(['following', 'ended', 'failed']);
});

test('a follower of a container that does not exist fails with a sentence', async () => {
  const reasons: (string | null)[] = [];
  followLogs({
    host: 'local',
    container: uniqueName('nobody'),
    tail: 1,
    since: undefined,
    signal: new AbortController().signal,
    onLines: () => {},
    onState: (state, _container, reason) => void (state === 'failed' && reasons.push(reason)),
  });
  await waitFor(() => reasons.length === 1);
  expect(reasons[0]).toContain('There is no container');
});

test('going back page by page tells every line once, however far the log goes', async () => {
  const count = 9000;
  const id = await run(uniqueName('long'), `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo "number $i"; done`);
  await waitFor(() => hosts.picture('local').containers.get(id)?.State.Status === 'exited', { timeoutMs: 60_000 });
  const { signal } = new AbortController();
  const texts: string[] = [];
  let until: string | undefined;
  for (;;) {
    const page = await readLogs(hosts.engine('local'), id, { tail: 2500, until, tty: false, signal });
    texts.unshift(...page.lines.map(({ text }) => text));
    until = page.lines[0]?.at;
    if (!page.truncated) break;
  }
  expect(texts).toEqual(Array.from({ length: count }, (_, index) => `number ${index + 1}`));
  const found = await readLogs(hosts.engine('local'), id, { tail: 5, q: 'NUMBER 77', tty: false, signal });
  expect(found.lines.map(({ text }) => text)).toEqual([7795, 7796, 7797, 7798, 7799].map((n) => `number ${n}`));
  expect(found.truncated).toBe(true);
  const rare = await readLogs(hosts.engine('local'), id, {
    tail: 5,
    q: 'number 12',
    since: undefined,
    until,
    tty: false,
    signal,
  });
  expect(rare).toEqual({ lines: [], truncated: false });
});

test('the container in which Evenkeel runs is not stopped from within', async () => {
  const id = await run(uniqueName('self'), untilTerminated);
  const handlers = new Map<string, (context: never) => unknown>();
  const router: Router = {
    handle: (route: RouteSpec, handler: (context: never) => unknown) => void handlers.set(route.id, handler),
    list: () => {},
  };
  const store = await openMemoryStore(undefined, { migrations: operationsMigrations, readOnly: false });
  const operations = createOperations({ store, clock: systemClock, log });
  registerContainerRoutes(router, { hosts, containers: createContainers({ hosts, self: id }), operations, store });
  for (const action of ['stopContainer', 'restartContainer']) {
    const context = { params: { host: 'local', container: id }, body: {} };
    await expect(handlers.get(action)?.(context as never)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('Evenkeel itself'),
    });
  }
  expect(await engine.docker('inspect', '-f', '{{.State.Running}}', id)).toBe('true');
  await operations.close();
  await store.close();
});
