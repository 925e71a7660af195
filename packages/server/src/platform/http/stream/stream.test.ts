import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type CollectionTopic, capabilities, collectionTopics, type ServerMessage } from '@evenkeel/contract';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { LiveCollection } from '../../bus/live-collection.ts';
import type { Actor } from '../actor.ts';
import type { FollowLogs } from './follow-logs.ts';
import { createStream, type Stream, type StreamLimits } from './stream.ts';

interface Item {
  readonly key: string;
  readonly text: string;
}

const owner: Actor = { kind: 'user', id: 'u1', name: 'anna', capabilities: new Set(capabilities), session: 's1' };
const guest: Actor = { kind: 'user', id: 'u2', name: 'gus', capabilities: new Set(['host:read']), session: 's2' };

let server: WebSocketServer;
let stream: Stream;
let collections: Record<CollectionTopic, LiveCollection<Item>>;
let followed: Parameters<FollowLogs>[0][];
const clients: Client[] = [];
let greeting: Promise<void>;
const over = new Set<string>();

async function start(limits: Partial<StreamLimits> = {}): Promise<void> {
  followed = [];
  greeting = Promise.resolve();
  over.clear();
  collections = Object.fromEntries(
    collectionTopics.map((topic) => [
      topic,
      new LiveCollection<Item>({ topic, keyOf: (item) => item.key, history: 50 }),
    ]),
  ) as typeof collections;
  stream = createStream({
    build: 'b1',
    collections,
    followLogs: (request) => followed.push(request),
    authenticate: async ({ ticket }) => {
      await greeting;
      return { owner, guest }[ticket ?? ''];
    },
    inForce: ({ session }) => !over.has(session ?? ''),
    log: pino({ level: 'silent' }),
    limits,
  });
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (socket) => stream.accept(socket, '192.0.2.1'));
  await once(server, 'listening');
}

beforeEach(() => start());
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  stream.close();
  await new Promise((resolve) => server.close(resolve));
});

class Client {
  readonly socket: WebSocket;
  readonly received: ServerMessage[] = [];
  readonly seen: ServerMessage['type'][] = [];
  #waiting: (() => void)[] = [];
  closed: Promise<number>;

  constructor() {
    this.socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    this.socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as ServerMessage;
      this.received.push(message);
      this.seen.push(message.type);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => this.socket.on('close', (code) => resolve(code)));
    clients.push(this);
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** How many messages have come when one fits. */
  async until(fits: (message: ServerMessage) => boolean): Promise<number> {
    while (!this.received.some(fits)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.received.length;
  }

  /** The first message, seen already or to come, that fits; it and all before it are taken out. */
  async next<T extends ServerMessage['type']>(
    type: T,
    fits: (message: Extract<ServerMessage, { type: T }>) => boolean = () => true,
  ) {
    for (;;) {
      const index = this.received.findIndex((message) => message.type === type && fits(message as never));
      if (index >= 0) return this.received.splice(0, index + 1).at(-1) as Extract<ServerMessage, { type: T }>;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

async function signedIn(ticket = 'owner'): Promise<Client> {
  const client = new Client();
  await once(client.socket, 'open');
  client.say({ type: 'hello', ticket });
  await client.next('welcome');
  return client;
}

describe('a stream', () => {
  test('begins with hello; a bad ticket and a message before hello are sent away', async () => {
    const wrong = new Client();
    await once(wrong.socket, 'open');
    wrong.say({ type: 'hello', ticket: 'nonsense' });
    expect(await wrong.closed).toBe(4401);
    const early = new Client();
    await once(early.socket, 'open');
    early.say({ type: 'subscribe', topic: 'hosts' });
    expect(await early.closed).toBe(4401);
  });

  test('a client that never says hello is sent away', async () => {
    stream.close();
    server.close();
    await start({ helloMilliseconds: 20 });
    expect(await new Client().closed).toBe(4401);
  });

  test('gives a snapshot, then each change', async () => {
    collections.containers.put({ key: 'a', text: 'first' });
    const client = await signedIn();
    client.say({ type: 'subscribe', topic: 'containers' });
    expect((await client.next('snapshot')).items).toEqual([{ key: 'a', text: 'first' }]);
    collections.containers.publish([{ key: 'b', text: 'new' }], ['a']);
    const delta = await client.next('delta');
    expect(delta.changes.map((change) => `${change.op} ${change.key}`)).toEqual(['remove a', 'put b']);
    expect(delta.position).toBe(collections.containers.position);
  });

  test('after a gap gives one delta with the last state of what changed', async () => {
    const { position } = collections.updates;
    for (const text of ['1', '2', '3']) collections.updates.put({ key: 'a', text });
    const client = await signedIn();
    client.say({ type: 'subscribe', topic: 'updates', position });
    expect((await client.next('delta')).changes).toEqual([{ op: 'put', key: 'a', item: { key: 'a', text: '3' } }]);
  });

  test('after a gap that is too old, or with a position of another start, gives a snapshot', async () => {
    const { position } = collections.runs;
    for (let value = 0; value < 60; value += 1) collections.runs.put({ key: 'a', text: String(value) });
    const client = await signedIn();
    client.say({ type: 'subscribe', topic: 'runs', position });
    expect((await client.next('snapshot')).items).toEqual([{ key: 'a', text: '59' }]);
    client.say({ type: 'subscribe', topic: 'hosts', position: 'other.7' });
    await client.next('snapshot', (message) => message.topic === 'hosts');
  });

  test('a topic without permission is refused by name, and the connection goes on', async () => {
    const client = await signedIn('guest');
    client.say({ type: 'subscribe', topic: 'containers' });
    expect(await client.next('error')).toMatchObject({ code: 'denied', topic: 'containers' });
    client.say({ type: 'follow-logs', subscription: 'l', host: 'local', container: 'web' });
    expect(await client.next('error')).toMatchObject({ code: 'denied', subscription: 'l' });
    client.say({ type: 'subscribe', topic: 'hosts' });
    await client.next('snapshot');
  });

  test('what is said before the welcome waits for it, in its order', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    greeting = promise;
    const client = new Client();
    await once(client.socket, 'open');
    client.say({ type: 'hello', ticket: 'owner' });
    client.say({ type: 'subscribe', topic: 'hosts' });
    client.say({ type: 'ping' });
    await vi.waitFor(() => expect(stream.connections).toBe(1));
    resolve();
    await client.next('pong');
    expect(client.seen).toEqual(['welcome', 'snapshot', 'pong']);
  });

  test('a message that is wrong is answered with the field and the rule', async () => {
    const client = await signedIn();
    client.say({ type: 'subscribe', topic: 'secrets' });
    expect(await client.next('error')).toMatchObject({
      code: 'bad_input',
      fields: [{ field: 'topic', rule: 'invalid_value' }],
    });
    client.say({ type: 'follow-logs', subscription: 'l', host: 'local', container: 'web', since: 'yesterday', odd: 1 });
    const wrong = await client.next('error');
    expect(wrong).toMatchObject({ code: 'bad_input', subscription: 'l' });
    expect(wrong.fields?.map(({ field }) => field).toSorted()).toEqual(['odd', 'since']);
    expect(followed).toEqual([]);
  });

  test('a client that says too much is sent away', async () => {
    const client = await signedIn();
    for (let n = 0; n < 400; n += 1) client.say({ type: 'ping' });
    expect(await client.closed).toBe(1013);
  });

  test('ends when its session has reached its age, without anybody asking', async () => {
    stream.close();
    server.close();
    await start({ pingMilliseconds: 20 });
    const client = await signedIn();
    over.add('s1');
    expect(await client.closed).toBe(4403);
  });

  test('nonsense is answered with an error', async () => {
    const client = await signedIn();
    client.socket.send('{"type":');
    expect(await client.next('error')).toMatchObject({ code: 'bad_input' });
    client.say({ type: 'subscribe', topic: 'secrets' });
    expect(await client.next('error')).toMatchObject({ code: 'bad_input' });
  });

  test('ends when its session ends, others go on', async () => {
    const ending = await signedIn();
    const staying = await signedIn('guest');
    stream.endSession('s1');
    expect(await ending.closed).toBe(4403);
    staying.say({ type: 'ping' });
    await staying.next('pong');
  });

  test('a client that does not read is skipped over and is complete in the end', async () => {
    stream.close();
    server.close();
    await start({ highWaterBytes: 1000 });
    const client = await signedIn();
    client.say({ type: 'subscribe', topic: 'containers' });
    await client.next('snapshot');
    client.socket.pause();
    for (let value = 0; value < 400; value += 1)
      collections.containers.put({ key: 'a', text: `${value} ${'x'.repeat(50_000)}` });
    client.socket.resume();
    const wanted = collections.containers.position;
    const deltas = await client.until((message) => 'position' in message && message.position === wanted);
    expect(deltas).toBeLessThan(400);
  });

  test('a client that does not read gets no snapshot and no pong until it does', async () => {
    stream.close();
    server.close();
    await start({ highWaterBytes: 1000 });
    const client = await signedIn();
    client.say({ type: 'subscribe', topic: 'containers' });
    await client.next('snapshot');
    client.socket.pause();
    for (let value = 0; value < 400; value += 1)
      collections.containers.put({ key: 'a', text: `${value} ${'x'.repeat(50_000)}` });
    const before = stream.unsentBytes;
    collections.runs.put({ key: 'r', text: 'x'.repeat(2_000_000) });
    for (let n = 0; n < 20; n += 1) {
      client.say({ type: 'subscribe', topic: 'runs' });
      client.say({ type: 'ping' });
    }
    client.say({ type: 'follow-logs', subscription: 'l', host: 'local', container: 'web' });
    await vi.waitFor(() => expect(followed).toHaveLength(1));
    expect(before).toBeGreaterThan(1000);
    expect(stream.unsentBytes).toBeLessThanOrEqual(before);
    client.socket.resume();
    await client.next('snapshot', ({ topic }) => topic === 'runs');
    await client.next('pong');
  });

  test('lines that a slow client misses are counted, and the count comes without waiting for the next line', async () => {
    stream.close();
    server.close();
    await start({ highWaterBytes: 1000 });
    const client = await signedIn();
    client.say({ type: 'follow-logs', subscription: 'l', host: 'local', container: 'web' });
    await vi.waitFor(() => expect(followed).toHaveLength(1));
    const line = { at: '2026-01-01T00:00:00Z', stream: 'stdout', level: null, text: 'x'.repeat(100_000) } as const;
    client.socket.pause();
    while (stream.unsentBytes < 1000) followed[0]?.onLines([line], 0, 'id1');
    for (let n = 0; n < 5; n += 1) followed[0]?.onLines([line, line], 1, 'id1');
    client.socket.resume();
    expect((await client.next('log-lines', ({ skipped }) => skipped > 0)).skipped).toBe(15);
  });

  test('the count of missed lines comes before the end of the output', async () => {
    stream.close();
    server.close();
    await start({ highWaterBytes: 1000 });
    const client = await signedIn();
    client.say({ type: 'follow-logs', subscription: 'l', host: 'local', container: 'web' });
    await vi.waitFor(() => expect(followed).toHaveLength(1));
    const line = { at: '2026-01-01T00:00:00Z', stream: 'stdout', level: null, text: 'x'.repeat(100_000) } as const;
    client.socket.pause();
    while (stream.unsentBytes < 1000) followed[0]?.onLines([line], 0, 'id1');
    followed[0]?.onLines([line], 0, 'id1');
    followed[0]?.onState('ended', 'id1', null);
    client.socket.resume();
    await client.next('log-state', ({ state }) => state === 'ended');
    expect(client.seen.slice(-2)).toEqual(['log-lines', 'log-state']);
  });

  test('a follower that has failed makes room for another', async () => {
    stream.close();
    server.close();
    await start({ followersPerConnection: 1 });
    const client = await signedIn();
    client.say({ type: 'follow-logs', subscription: 'a', host: 'local', container: 'gone' });
    await vi.waitFor(() => expect(followed).toHaveLength(1));
    followed[0]?.onState('failed', 'gone', 'There is no such container.');
    await client.next('log-state');
    expect(followed[0]?.signal.aborted).toBe(true);
    client.say({ type: 'follow-logs', subscription: 'b', host: 'local', container: 'web' });
    await vi.waitFor(() => expect(followed).toHaveLength(2));
    expect(client.seen).not.toContain('error');
  });

  test('logs are followed until the client has enough', async () => {
    const client = await signedIn();
    client.say({ type: 'follow-logs', subscription: 'l', host: 'local', container: 'web', tail: 5 });
    client.say({ type: 'ping' });
    await client.next('pong');
    const [request] = followed;
    expect(request).toMatchObject({ host: 'local', container: 'web', tail: 5 });
    request?.onLines([{ at: '2026-01-01T00:00:00Z', stream: 'stdout', level: null, text: 'hello' }], 0, 'id1');
    expect((await client.next('log-lines')).lines[0]?.text).toBe('hello');
    client.say({ type: 'unsubscribe', subscription: 'l' });
    client.say({ type: 'ping' });
    await client.next('pong');
    expect(request?.signal.aborted).toBe(true);
  });

  test('a closed client leaves no follower and no subscription behind', async () => {
    const client = await signedIn();
    client.say({ type: 'follow-logs', subscription: 'l', host: 'local', container: 'web' });
    client.say({ type: 'ping' });
    await client.next('pong');
    client.socket.terminate();
    await new Promise<void>((resolve) => followed[0]?.signal.addEventListener('abort', () => resolve()));
    expect(stream.connections).toBe(0);
  });

  test('too many followers and too many connections are refused', async () => {
    stream.close();
    server.close();
    await start({ followersPerConnection: 1, connections: 1 });
    const client = await signedIn();
    client.say({ type: 'follow-logs', subscription: 'a', host: 'local', container: 'web' });
    client.say({ type: 'follow-logs', subscription: 'b', host: 'local', container: 'web' });
    expect(await client.next('error')).toMatchObject({ code: 'too_many_requests', subscription: 'b' });
    expect(() => stream.admit('192.0.2.1')).toThrow(expect.objectContaining({ code: 'too_many_requests' }));
    expect(await new Client().closed).toBe(1013);
  });

  test('those that have not said hello are few, for all and for one network, and take no place from others', async () => {
    stream.close();
    server.close();
    await start({ ungreeted: 3, ungreetedPerNetwork: 2, connections: 2 });
    for (let n = 0; n < 2; n += 1) await once(new Client().socket, 'open');
    await vi.waitFor(() => expect(stream.connections).toBe(2));
    const refusal = expect.objectContaining({ code: 'too_many_requests' });
    expect(() => stream.admit('192.0.2.1')).toThrow(refusal);
    expect(() => stream.admit('::ffff:192.0.2.1')).toThrow(refusal);
    stream.admit('192.0.2.2');
    clients[0]?.say({ type: 'hello', ticket: 'owner' });
    await clients[0]?.next('welcome');
    stream.admit('192.0.2.1');
    await signedIn();
  });
});
