import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEngine } from '../platform/engine/create-engine.ts';
import { type RecordedEngine, startRecordedEngine } from '../platform/engine/for-tests/recorded-engine.ts';
import { type TestClock, testClock } from '../platform/test-clock.ts';
import { createHosts } from './create-hosts.ts';
import type { Hosts } from './hosts.ts';
import type { WatchTimes } from './watch-parts.ts';

const log = pino({ level: 'silent' });
const times: WatchTimes = {
  firstWaitMilliseconds: 500,
  longestWaitMilliseconds: 30_000,
  relistMilliseconds: 300_000,
  heartbeatMilliseconds: 10_000,
  pingMilliseconds: 10_000,
  firstRetryMilliseconds: 1000,
  longestRetryMilliseconds: 60_000,
};
let engine: RecordedEngine;
let clock: TestClock;
let hosts: Hosts;
const warnings: string[] = [];

beforeEach(async () => {
  engine = await startRecordedEngine();
  clock = testClock(Date.parse('2026-11-25T10:00:00Z'));
  warnings.length = 0;
});
afterEach(async () => {
  await hosts.close();
  await engine.stop();
});

/** Waits of the connection are halved by chance; here they always are whole. */
function watch(timeoutMs = 30_000): void {
  const noted = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  hosts = createHosts({
    configured: [{ id: 'local', name: 'local', endpoint: engine.endpoint }],
    engineFor: ({ endpoint }) => createEngine({ endpoint, log, timeoutMs }),
    clock,
    log: noted,
    times,
    random: () => 1,
  });
}
const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 60_000, interval: 10 });
const state = () => hosts.collection.get('local')?.state;
const online = () => until(() => state() === 'online');
const containers = () => hosts.picture('local').containers;
const doubtful = () => [...hosts.picture('local').doubtful];
const inspections = (id: string) => engine.calls.filter((call) => call === `GET /containers/${id}/json`).length;
const listings = () => engine.calls.filter((call) => call.startsWith('GET /containers/json')).length;

test('two thousand containers are one change of the picture, and an event asks for one of them only', async () => {
  const ids = Array.from({ length: 2000 }, (_, index) => engine.put(`web-${index}`));
  watch();
  const changes: { all: boolean; containers: readonly string[] }[] = [];
  hosts.onPicture((change) => changes.push(change));
  await online();
  expect(containers().size).toBe(2000);
  expect(changes).toEqual([{ host: 'local', all: true, containers: [] }]);
  expect(engine.calls.length).toBeLessThan(2010);
  const [one = ''] = ids;
  engine.put('web-0', { status: 'exited' });
  engine.event('container', 'die', one);
  await until(() => containers().get(one)?.State.Status === 'exited');
  expect(engine.calls.length).toBeLessThan(2012);
  expect(changes.slice(1)).toEqual([{ host: 'local', all: false, containers: [one] }]);
  await until(() => hosts.collection.get('local')?.running === 1999);
}, 120_000);

test('what no event told is found by the listing of the slow timer, and not before', async () => {
  const gone = engine.put('gone');
  const changed = engine.put('changed');
  watch();
  await online();
  engine.remove(gone);
  const came = engine.put('came');
  engine.put('changed', { status: 'exited' });
  await untilAsleep();
  for (let passed = 0; passed < times.relistMilliseconds - times.heartbeatMilliseconds; ) {
    passed += times.heartbeatMilliseconds;
    await clock.advance(times.heartbeatMilliseconds);
    await untilAsleep();
  }
  expect([...containers().keys()].toSorted()).toEqual([gone, changed]);
  expect(listings()).toBe(1);
  await clock.advance(times.heartbeatMilliseconds);
  await until(() => listings() === 2 && containers().has(came));
  await until(() => !containers().has(gone));
  expect(containers().get(changed)?.State.Status).toBe('exited');
  expect(state()).toBe('online');

  async function untilAsleep(): Promise<void> {
    await until(() => clock.waits().includes(times.heartbeatMilliseconds));
  }
});

test('the waits for an engine that is away double up to the longest, and begin anew once it has been back', async () => {
  engine.put('web');
  engine.reachable(false);
  watch();
  const seen: number[] = [];
  for (let count = 0; count < 8; count++) {
    await until(() => clock.waits().length === 1);
    const [wait = 0] = clock.waits();
    seen.push(wait);
    await clock.advance(wait);
  }
  expect(seen).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  await until(() => clock.waits().length === 1);
  engine.reachable(true);
  await clock.advance(30_000);
  await online();
  engine.reachable(false);
  await until(() => state() === 'unreachable' && clock.waits()[0] === 500);
  expect(containers().size).toBe(1);
});

describe('a container whose inspect fails', () => {
  test('does not take the host away: it is shown as listed, doubtful, and asked for again until it answers', async () => {
    const well = engine.put('well');
    const sick = engine.put('sick', { status: 'paused' });
    engine.failInspect(sick, true);
    watch();
    await online();
    expect(containers().get(well)?.HostConfig.NetworkMode).toBe('front');
    expect(containers().get(sick)).toMatchObject({
      Name: '/sick',
      State: { Status: 'paused', Running: true, Paused: true },
      Config: { Image: 'local/app:1', Labels: { 'com.docker.compose.project': 'shop' } },
    });
    expect(doubtful()).toEqual([sick]);
    const waits: number[] = [];
    for (let count = 0; count < 7; count++) {
      const asked = inspections(sick);
      const retry = await until(() => clock.waits().find((wait) => wait !== times.heartbeatMilliseconds));
      waits.push(Number(retry));
      await clock.advance(Number(retry));
      await until(() => inspections(sick) > asked);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]);
    expect(state()).toBe('online');
    expect(warnings.filter((line) => line.includes(sick))).toHaveLength(1);
    engine.failInspect(sick, false);
    await until(() => clock.waits().includes(60_000));
    await clock.advance(60_000);
    await until(() => doubtful().length === 0);
    expect(containers().get(sick)?.HostConfig.NetworkMode).toBe('front');
    expect(clock.waits()).not.toContain(60_000);
  });

  test('keeps what was last seen of it, and is asked again after an event, not only with the next listing', async () => {
    const id = engine.put('web');
    watch();
    await online();
    engine.failInspect(id, true);
    engine.put('web', { status: 'exited' });
    engine.event('container', 'die', id);
    await until(() => doubtful().includes(id));
    expect(containers().get(id)).toMatchObject({ State: { Status: 'running' } });
    engine.failInspect(id, false);
    await until(() => clock.waits().includes(times.firstRetryMilliseconds));
    await clock.advance(times.firstRetryMilliseconds);
    await until(() => containers().get(id)?.State.Status === 'exited');
    expect(doubtful()).toEqual([]);
    expect(listings()).toBe(1);
  });

  test('by never answering, while the engine does, is doubtful too', async () => {
    const id = engine.put('web');
    engine.hangInspect(id, true);
    watch(300);
    await online();
    expect(doubtful()).toEqual([id]);
    expect(containers().get(id)?.Name).toBe('/web');
  });

  test('and that is removed then is not asked for again', async () => {
    const id = engine.put('web');
    engine.failInspect(id, true);
    watch();
    await online();
    engine.remove(id);
    engine.event('container', 'destroy', id);
    await until(() => !containers().has(id));
    expect(doubtful()).toEqual([]);
    expect(clock.waits()).not.toContain(times.firstRetryMilliseconds);
  });
});

test('events of images are passed on, and cost no call', async () => {
  const id = engine.put('web');
  watch();
  const seen: string[] = [];
  const stop = hosts.onImages((host) => seen.push(host));
  await online();
  const before = engine.calls.length;
  const actions = ['pull', 'tag', 'untag', 'delete', 'load', 'import', 'prune'];
  for (const action of actions) engine.event('image', action, 'local/app:1');
  engine.event('image', 'push', 'local/app:1');
  engine.event('image', 'save', 'local/app:1');
  await until(() => seen.length === actions.length);
  stop();
  engine.event('image', 'pull', 'local/app:1');
  engine.event('container', 'pause', id);
  await until(() => inspections(id) === 2);
  expect(seen).toEqual(actions.map(() => 'local'));
  expect(engine.calls.length).toBe(before + 1);
});
