import type {
  ClientMessage,
  CollectionTopic,
  Container,
  Host,
  LogLine,
  Operation,
  Run,
  ServerMessage,
  SystemNotice,
  Update,
} from '@evenkeel/contract';
import { type Collection, createCollection, type WritableCollection } from './collection.ts';

/** What each topic of the stream holds. */
export interface TopicItems {
  hosts: Host;
  containers: Container;
  updates: Update;
  runs: Run;
  operations: Operation;
  notices: SystemNotice;
}

const keyOf: { [T in CollectionTopic]: (item: TopicItems[T]) => string } = {
  hosts: (host) => host.id,
  containers: (container) => container.key,
  updates: (update) => update.key,
  runs: (run) => run.id,
  operations: (operation) => operation.id,
  notices: (notice) => notice.code,
};

export interface StreamStatus {
  /** `idle`: not started or signed out. `reconnecting`: was live, what is shown is from `lostAt`. */
  readonly state: 'idle' | 'connecting' | 'live' | 'reconnecting';
  /** Epoch milliseconds of the last word from the server before the line was lost. */
  readonly lostAt: number | null;
  /** The server runs another build of this page than the one that is open. */
  readonly outdated: boolean;
}

export interface LogFollower {
  lines(lines: readonly LogLine[], info: { container: string; skipped: number }): void;
  state(state: 'following' | 'replaced' | 'ended' | 'failed', info: { container: string; reason: string | null }): void;
}

/** The part of a WebSocket that the stream needs. */
export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
}

export interface StreamParts {
  openSocket: () => Socket;
  /** A fresh single-use ticket. Rejects when there is no session or no server. */
  ticket: () => Promise<string>;
  /** Runs once per animation frame. */
  schedule: (flush: () => void) => void;
  after: (milliseconds: number, task: () => void) => () => void;
  now: () => number;
  random: () => number;
}

export interface Stream {
  start(): void;
  stop(): void;
  /** Reconnects now when the line is down: the network or the tab came back. */
  nudge(): void;
  collection<T extends CollectionTopic>(topic: T): Collection<TopicItems[T]>;
  status: { getSnapshot(): StreamStatus; subscribe(listener: () => void): () => void };
  /** Follows the output of a container, across reconnects and (by name) across its replacement. Returns how to end it. */
  followLogs(source: { host: string; container: string; tail: number }, follower: LogFollower): () => void;
}

const firstDelay = 500;
const longestDelay = 15_000;
const pingEvery = 20_000;
const silenceLimit = 50_000;

interface Following {
  source: { host: string; container: string; tail: number };
  follower: LogFollower;
  lastAt: string | null;
  /** Texts of the lines that carry `lastAt`: after a reconnect they come once more. */
  lastTexts: Set<string>;
}

/**
 * The one connection to the server. Topics are subscribed to when first asked for and stay; after a gap each is resumed
 * from its last position.
 */
export function createStream(parts: StreamParts): Stream {
  const collections = new Map<CollectionTopic, WritableCollection<unknown>>();
  const positions = new Map<CollectionTopic, string>();
  const followings = new Map<string, Following>();
  const statusListeners = new Set<() => void>();
  let status: StreamStatus = { state: 'idle', lostAt: null, outdated: false };
  let firstBuild: string | null = null;
  let socket: Socket | null = null;
  let ready = false;
  let wanted = false;
  let attempt = 0;
  let heardAt = 0;
  let generation = 0;
  let nextSubscription = 1;
  let cancelRetry: (() => void) | null = null;
  let cancelPing: (() => void) | null = null;

  function setStatus(change: Partial<StreamStatus>) {
    status = { ...status, ...change };
    for (const listener of statusListeners) listener();
  }

  function send(message: ClientMessage) {
    if (socket) socket.send(JSON.stringify(message));
  }

  function subscribeTopic(topic: CollectionTopic) {
    const position = positions.get(topic);
    send(position ? { type: 'subscribe', topic, position } : { type: 'subscribe', topic });
  }

  function subscribeLogs(subscription: string, { source, lastAt }: Following) {
    const base = { type: 'follow-logs', subscription, host: source.host, container: source.container } as const;
    send(lastAt ? { ...base, tail: 10_000, since: lastAt } : { ...base, tail: source.tail });
  }

  function receiveLines(message: Extract<ServerMessage, { type: 'log-lines' }>) {
    const following = followings.get(message.subscription);
    if (!following) return;
    const { lastAt, lastTexts } = following;
    const fresh = message.lines.filter(
      (line) => lastAt === null || line.at > lastAt || (line.at === lastAt && !lastTexts.has(line.text)),
    );
    const last = fresh.at(-1);
    if (last && last.at !== lastAt) following.lastTexts = new Set();
    if (last) {
      following.lastAt = last.at;
      for (const line of fresh) if (line.at === last.at) following.lastTexts.add(line.text);
    }
    if (fresh.length > 0 || message.skipped > 0)
      following.follower.lines(fresh, { container: message.container, skipped: message.skipped });
  }

  function receive(message: ServerMessage) {
    switch (message.type) {
      case 'welcome': {
        ready = true;
        attempt = 0;
        firstBuild ??= message.build;
        setStatus({ state: 'live', lostAt: null, outdated: status.outdated || firstBuild !== message.build });
        for (const topic of collections.keys()) subscribeTopic(topic);
        for (const [subscription, following] of followings) subscribeLogs(subscription, following);
        return;
      }
      case 'snapshot':
        positions.set(message.topic, message.position);
        collections.get(message.topic)?.replace(message.items);
        return;
      case 'delta':
        positions.set(message.topic, message.position);
        collections.get(message.topic)?.apply(message.changes);
        return;
      case 'log-lines':
        receiveLines(message);
        return;
      case 'log-state':
        followings.get(message.subscription)?.follower.state(message.state, message);
        return;
      case 'error':
        if (message.subscription)
          followings.get(message.subscription)?.follower.state('failed', { container: '', reason: message.detail });
        else if (message.topic) positions.delete(message.topic);
        return;
      case 'pong':
        return;
    }
  }

  function lost(of: number) {
    if (of !== generation) return;
    generation += 1;
    socket = null;
    cancelPing?.();
    cancelPing = null;
    if (!wanted) return;
    const wasLive = ready;
    ready = false;
    if (wasLive) setStatus({ state: 'reconnecting', lostAt: heardAt });
    const ceiling = Math.min(longestDelay, firstDelay * 2 ** attempt);
    attempt += 1;
    cancelRetry = parts.after(ceiling * (0.5 + parts.random() / 2), connect);
  }

  function watchSilence() {
    cancelPing = parts.after(pingEvery, () => {
      if (parts.now() - heardAt > silenceLimit) {
        socket?.close();
        lost(generation);
        return;
      }
      send({ type: 'ping' });
      watchSilence();
    });
  }

  function connect() {
    cancelRetry = null;
    if (!wanted) return;
    generation += 1;
    const mine = generation;
    if (status.state === 'idle') setStatus({ state: 'connecting' });
    parts.ticket().then(
      (ticket) => {
        if (mine !== generation || !wanted) return;
        const opened = parts.openSocket();
        socket = opened;
        opened.onopen = () => {
          heardAt = parts.now();
          send({ type: 'hello', ticket });
          watchSilence();
        };
        opened.onmessage = (event) => {
          if (mine !== generation || typeof event.data !== 'string') return;
          heardAt = parts.now();
          receive(JSON.parse(event.data) as ServerMessage);
        };
        opened.onclose = () => lost(mine);
      },
      () => lost(mine),
    );
  }

  return {
    start() {
      if (wanted) return;
      wanted = true;
      connect();
    },
    stop() {
      wanted = false;
      generation += 1;
      cancelRetry?.();
      cancelPing?.();
      socket?.close();
      socket = null;
      ready = false;
      attempt = 0;
      positions.clear();
      for (const collection of collections.values()) collection.replace([]);
      collections.clear();
      setStatus({ state: 'idle', lostAt: null });
    },
    nudge() {
      if (!wanted || socket || !cancelRetry) return;
      cancelRetry();
      attempt = 0;
      connect();
    },
    collection<T extends CollectionTopic>(topic: T) {
      let known = collections.get(topic);
      if (!known) {
        known = createCollection<unknown>((item) => keyOf[topic](item as TopicItems[T]), parts.schedule);
        collections.set(topic, known);
        if (ready) subscribeTopic(topic);
      }
      return known as unknown as Collection<TopicItems[T]>;
    },
    status: {
      getSnapshot: () => status,
      subscribe(listener) {
        statusListeners.add(listener);
        return () => statusListeners.delete(listener);
      },
    },
    followLogs(source, follower) {
      const subscription = `logs-${nextSubscription}`;
      nextSubscription += 1;
      const following: Following = { source, follower, lastAt: null, lastTexts: new Set() };
      followings.set(subscription, following);
      if (ready) subscribeLogs(subscription, following);
      return () => {
        followings.delete(subscription);
        if (ready) send({ type: 'unsubscribe', subscription });
      };
    },
  };
}
