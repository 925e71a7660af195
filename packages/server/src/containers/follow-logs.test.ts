import type { LogLine } from '@evenkeel/contract';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHosts, type Hosts } from '../hosts/index.ts';
import { systemClock } from '../platform/clock.ts';
import { createEngine } from '../platform/engine/create-engine.ts';
import { type RecordedEngine, startRecordedEngine } from '../platform/engine/for-tests/recorded-engine.ts';
import { silentLog } from '../platform/log/create-log.ts';
import { createContainers } from './create-containers.ts';
import { createLogFollower, type LogLimits } from './follow-logs.ts';

const log = silentLog();
let engine: RecordedEngine;
let hosts: Hosts;
let web: string;
let followLogs: ReturnType<typeof createLogFollower>;
const stops: (() => void)[] = [];

beforeEach(async () => {
  engine = await startRecordedEngine();
  web = engine.put('web');
  hosts = createHosts({
    configured: [{ id: 'local', name: 'local', endpoint: engine.endpoint }],
    engineFor: ({ endpoint }) => createEngine({ endpoint, log }),
    clock: systemClock,
    log,
  });
  await until(() => hosts.collection.get('local')?.state === 'online');
  serve({});
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await hosts.close();
  await engine.stop();
});

const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 60_000, interval: 5 });

function serve(limits: Partial<LogLimits>): void {
  const containers = createContainers({ hosts, self: undefined });
  followLogs = createLogFollower({ hosts, containers, clock: systemClock, limits });
}

function follow(container: string, tail: number, since?: string, onLines = () => {}) {
  const controller = new AbortController();
  const lines: LogLine[] = [];
  const states: string[] = [];
  const stop = () => controller.abort();
  stops.push(stop);
  followLogs({
    host: 'local',
    container,
    tail,
    since,
    signal: controller.signal,
    onLines: (more) => {
      lines.push(...more);
      onLines();
    },
    onState: (state, _id, reason) => states.push(reason === null ? state : `${state}: ${reason}`),
  });
  const texts = () => lines.map(({ text }) => text);
  return { states, texts, stop, seen: (text: string) => until(() => texts().at(-1) === text) };
}
const reads = () => engine.calls.filter((call) => call.includes('/logs?')).map((call) => /follow=(\d)/.exec(call)?.[1]);
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);
const write = (from: number, to: number) => {
  for (const text of numbers(from, to)) engine.write(web, text);
};

describe('followers of one container', () => {
  test('share one stream of the engine; who comes later with a small tail is served from memory', async () => {
    write(1, 100);
    const first = follow(web, 50);
    await first.seen('line 100');
    const others = [follow(web, 10), follow('web', 50), follow(web, 0)];
    await until(() => others[1]?.texts().length === 50);
    write(101, 110);
    for (const follower of [first, ...others]) await follower.seen('line 110');
    expect(first.texts()).toEqual(numbers(51, 110));
    expect(others.map(({ texts }) => texts())).toEqual([numbers(91, 110), numbers(51, 110), numbers(101, 110)]);
    expect(reads()).toEqual(['1']);
    expect(engine.followers(web)).toBe(1);
  });

  test('who wants more than memory has reads that by itself, and joins without a line twice or lost', async () => {
    serve({ lines: 20 });
    write(1, 300);
    const first = follow(web, 30);
    await first.seen('line 300');
    const later = follow(web, 200);
    write(301, 600);
    for (const follower of [first, later]) await follower.seen('line 600');
    const [beginning = ''] = later.texts();
    // How far the engine had come when it was asked is not known; that there is no hole after it is.
    expect(later.texts()).toEqual(numbers(Number(beginning.slice(5)), 600));
    expect(later.texts().length).toBeGreaterThanOrEqual(200);
    expect(reads()).toEqual(['1', '0']);
  });

  test('who comes later gets many old lines bit by bit, so that its connection can take them, and new ones after them', async () => {
    serve({ lines: 100 });
    write(1, 7000);
    const first = follow(web, 10);
    await first.seen('line 7000');
    let turn = 0;
    let counting = true;
    const count = () => {
      turn += 1;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    const turns: number[] = [];
    const later = follow(web, 6000, undefined, () => {
      turns.push(turn);
      if (turns.length === 2) write(7001, 7010);
    });
    await later.seen('line 7010');
    counting = false;
    expect(later.texts()).toEqual(numbers(1001, 7010));
    expect(turns.length).toBeGreaterThanOrEqual(4);
    expect(new Set(turns).size).toBe(turns.length);
  });

  test('who wants lines from a moment on gets no earlier ones', async () => {
    write(1, 10);
    const first = follow(web, 10);
    await first.seen('line 10');
    const later = follow(web, 10, '2026-11-25T10:00:00.000000008Z');
    await later.seen('line 10');
    write(11, 11);
    await later.seen('line 11');
    expect(later.texts()).toEqual(numbers(8, 11));
  });

  test('let the stream go with the last of them, and it is opened anew for the next', async () => {
    write(1, 5);
    const [one, two] = [follow(web, 5), follow(web, 5)];
    await one.seen('line 5');
    one.stop();
    write(6, 6);
    await two.seen('line 6');
    expect(engine.followers(web)).toBe(1);
    two.stop();
    await until(() => engine.followers(web) === 0);
    const third = follow(web, 2);
    await third.seen('line 6');
    expect(third.texts()).toEqual(numbers(5, 6));
    expect(one.texts()).toEqual(numbers(1, 5));
    expect(reads()).toEqual(['1', '1']);
  });

  test('go on together after a restart, without a line twice', async () => {
    write(1, 3);
    const followers = [follow(web, 3), follow('web', 3)];
    for (const follower of followers) await follower.seen('line 3');
    engine.put('web', { status: 'exited' });
    engine.event('container', 'die', web);
    engine.endLogs(web);
    for (const { states } of followers) await until(() => states.includes('ended'));
    const late = follow(web, 1);
    await until(() => late.states.includes('ended'));
    engine.put('web', { startedAt: '2026-11-25T11:00:00Z' });
    engine.event('container', 'start', web);
    await until(() => engine.followers(web) === 1);
    write(4, 4);
    for (const follower of [...followers, late]) await follower.seen('line 4');
    for (const { texts, states } of followers) {
      expect(texts()).toEqual(numbers(1, 4));
      expect(states).toEqual(['following', 'ended', 'following']);
    }
    expect(late.texts()).toEqual(numbers(3, 4));
    expect(engine.followers(web)).toBe(1);
  });

  test('are told when it is removed: by id that is the end, by name its replacement is waited for', async () => {
    write(1, 1);
    const [byId, byName] = [follow(web, 1), follow('web', 1)];
    for (const follower of [byId, byName]) await follower.seen('line 1');
    engine.endLogs(web);
    engine.remove(web);
    engine.event('container', 'destroy', web);
    await until(() => byId.states.at(-1)?.startsWith('failed'));
    expect(byId.states).toEqual(['following', 'ended', 'failed: The container has been removed.']);
    const replacement = engine.put('web');
    engine.write(replacement, 'new 1');
    engine.event('container', 'start', replacement);
    await byName.seen('new 1');
    expect(byName.states).toEqual(['following', 'ended', 'replaced', 'following']);
    expect(byName.texts()).toEqual(['line 1', 'new 1']);
  });
});

test('only so many containers are followed at once, however many follow each; one that ends makes room', async () => {
  serve({ streams: 2 });
  const [db, cache] = [engine.put('db'), engine.put('cache')];
  for (const id of [db, cache]) engine.event('container', 'start', id);
  await until(() => hosts.picture('local').containers.size === 3);
  const followers = [web, web, db].map((id) => follow(id, 1));
  const refused = follow(cache, 1);
  expect(refused.states).toEqual([expect.stringMatching(/^failed: The output of 2 containers is followed already/)]);
  for (const { states } of followers) expect(states).toEqual(['following']);
  followers[2]?.stop();
  expect(follow(cache, 1).states).toEqual(['following']);
});
