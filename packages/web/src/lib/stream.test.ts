import type { ClientMessage, Host, ServerMessage } from '@evenkeel/contract';
import { expect, test } from 'vitest';
import { createStream, type Socket } from './stream.ts';

const host = (id: string, running = 0): Host => ({
  id,
  name: id,
  endpoint: 'unix:///x',
  state: 'online',
  reason: null,
  engineVersion: null,
  apiVersion: null,
  operatingSystem: null,
  architecture: null,
  containers: 0,
  running,
  lastSeenAt: null,
  listedAt: null,
  eventLagMilliseconds: null,
});

/** A stream whose line, clock and frames the test holds in its hand. */
function bench() {
  const sockets: { sent: ClientMessage[]; socket: Socket; say(message: ServerMessage): void; drop(): void }[] = [];
  const timers = new Set<{ at: number; task: () => void }>();
  let frames: (() => void)[] = [];
  let now = 1_000;
  let tickets = 0;
  const stream = createStream({
    openSocket: () => {
      const sent: ClientMessage[] = [];
      const socket: Socket = {
        send: (text) => sent.push(JSON.parse(text) as ClientMessage),
        close: () => {},
        onopen: null,
        onmessage: null,
        onclose: null,
      };
      sockets.push({
        sent,
        socket,
        say: (message) => socket.onmessage?.({ data: JSON.stringify(message) }),
        drop: () => socket.onclose?.(),
      });
      return socket;
    },
    ticket: async () => {
      tickets += 1;
      return `ticket-${tickets}`;
    },
    schedule: (flush) => frames.push(flush),
    after: (milliseconds, task) => {
      const timer = { at: now + milliseconds, task };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    now: () => now,
    random: () => 1,
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    stream,
    sockets,
    line(index: number) {
      const line = sockets[index];
      if (!line) throw new Error(`no socket ${index}`);
      return line;
    },
    async open(index: number) {
      await settle();
      this.line(index).socket.onopen?.();
      this.line(index).say({ type: 'welcome', build: 'b1', user: 'ada' });
    },
    frame() {
      const due = frames;
      frames = [];
      for (const flush of due) flush();
      return due.length;
    },
    async pass(milliseconds: number) {
      now += milliseconds;
      for (const timer of [...timers]) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.task();
      }
      await settle();
    },
  };
}

test('it says hello with a ticket, then subscribes to what was asked for', async () => {
  const b = bench();
  b.stream.collection('hosts');
  b.stream.start();
  await b.open(0);
  b.stream.collection('runs');
  expect(b.line(0).sent).toEqual([
    { type: 'hello', ticket: 'ticket-1' },
    { type: 'subscribe', topic: 'hosts' },
    { type: 'subscribe', topic: 'runs' },
  ]);
});

test('many deltas within a frame are one notification and one new picture', async () => {
  const b = bench();
  const hosts = b.stream.collection('hosts');
  b.stream.start();
  await b.open(0);
  b.line(0).say({ type: 'snapshot', topic: 'hosts', position: '1', items: [host('a'), host('b')] });
  b.frame();
  const before = hosts.getSnapshot();
  let heard = 0;
  hosts.subscribe(() => {
    heard += 1;
  });
  for (let n = 1; n <= 100; n += 1)
    b.line(0).say({
      type: 'delta',
      topic: 'hosts',
      position: `${n + 1}`,
      changes: [{ op: 'put', key: 'a', item: host('a', n) }],
    });
  b.line(0).say({ type: 'delta', topic: 'hosts', position: '200', changes: [{ op: 'remove', key: 'b' }] });
  expect(hosts.getSnapshot()).toBe(before);
  expect(b.frame()).toBe(1);
  expect(heard).toBe(1);
  expect(hosts.getSnapshot().items).toEqual([host('a', 100)]);
  expect(before.byKey.has('b')).toBe(true);
});

test('after a gap it comes back with a new ticket, resumes at its position and keeps the old picture meanwhile', async () => {
  const b = bench();
  const hosts = b.stream.collection('hosts');
  b.stream.start();
  await b.open(0);
  b.line(0).say({ type: 'snapshot', topic: 'hosts', position: '7', items: [host('a')] });
  b.frame();
  b.line(0).drop();
  expect(b.stream.status.getSnapshot()).toMatchObject({ state: 'reconnecting', lostAt: 1_000 });
  expect(hosts.getSnapshot().items).toHaveLength(1);
  await b.pass(500);
  await b.open(1);
  expect(b.line(1).sent).toEqual([
    { type: 'hello', ticket: 'ticket-2' },
    { type: 'subscribe', topic: 'hosts', position: '7' },
  ]);
  expect(b.stream.status.getSnapshot().state).toBe('live');
});

test('the waits between attempts grow and have a ceiling', async () => {
  const b = bench();
  b.stream.start();
  await b.open(0);
  b.line(0).drop();
  for (const [index, wait] of [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000].entries()) {
    await b.pass(wait - 1);
    expect(b.sockets).toHaveLength(index + 1);
    await b.pass(1);
    expect(b.sockets).toHaveLength(index + 2);
    b.line(index + 1).drop();
  }
});

test('a line that has gone silent is given up', async () => {
  const b = bench();
  b.stream.start();
  await b.open(0);
  await b.pass(20_000);
  expect(b.line(0).sent.at(-1)).toEqual({ type: 'ping' });
  await b.pass(20_000);
  await b.pass(20_000);
  expect(b.stream.status.getSnapshot().state).toBe('reconnecting');
});

test('another build at a later welcome makes the page outdated', async () => {
  const b = bench();
  b.stream.start();
  await b.open(0);
  b.line(0).drop();
  await b.pass(500);
  b.line(1).socket.onopen?.();
  b.line(1).say({ type: 'welcome', build: 'b2', user: 'ada' });
  expect(b.stream.status.getSnapshot().outdated).toBe(true);
});

test('a log follower goes on after a gap without repeating or losing a line', async () => {
  const b = bench();
  const seen: string[] = [];
  b.stream.followLogs(
    { host: 'local', container: 'web', tail: 100 },
    { lines: (lines) => seen.push(...lines.map((line) => line.text)), state: () => {} },
  );
  b.stream.start();
  await b.open(0);
  const line = (at: string, text: string) => ({ at, text, stream: 'stdout' as const, level: null });
  const say = (index: number, lines: ReturnType<typeof line>[]) =>
    b.line(index).say({ type: 'log-lines', subscription: 'logs-1', container: 'c', lines, skipped: 0 });
  say(0, [line('2026-01-01T00:00:01.000000000Z', 'one'), line('2026-01-01T00:00:02.000000000Z', 'two')]);
  b.line(0).drop();
  await b.pass(500);
  await b.open(1);
  expect(b.line(1).sent.at(-1)).toMatchObject({ type: 'follow-logs', since: '2026-01-01T00:00:02.000000000Z' });
  say(1, [line('2026-01-01T00:00:02.000000000Z', 'two'), line('2026-01-01T00:00:02.000000000Z', 'three')]);
  expect(seen).toEqual(['one', 'two', 'three']);
});

test('stopped, it forgets what it has seen', async () => {
  const b = bench();
  b.stream.collection('hosts');
  b.stream.start();
  await b.open(0);
  b.line(0).say({ type: 'snapshot', topic: 'hosts', position: '7', items: [host('a')] });
  b.frame();
  b.stream.stop();
  expect(b.stream.collection('hosts').getSnapshot()).toMatchObject({ items: [], loaded: false });
});
