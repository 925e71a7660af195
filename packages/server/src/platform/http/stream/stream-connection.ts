import { type Capability, ClientMessage, type CollectionTopic, type ServerMessage } from '@evenkeel/contract';
import type { RawData, WebSocket } from 'ws';
import { describeError } from '../../fault.ts';
import { type Actor, can } from '../actor.ts';
import { closeCodes } from './close-codes.ts';
import type { StreamLimits, StreamOptions } from './stream.ts';
import type { Frame, Topic } from './stream-topic.ts';

export interface StreamConnection {
  /** Undefined until a good `hello`. */
  readonly actor: Actor | undefined;
  end(code: number, reason: string): void;
}

interface ConnectionOptions extends Omit<StreamOptions, 'limits'> {
  readonly limits: StreamLimits;
  readonly topics: Readonly<Record<CollectionTopic, Topic>>;
  readonly admit: (actor: Actor) => boolean;
  readonly onClose: () => void;
}

/** What each topic asks of its reader. */
const topicCapabilities: Readonly<Record<CollectionTopic, Capability>> = {
  hosts: 'host:read',
  containers: 'container:read',
  updates: 'update:read',
  runs: 'update:read',
  operations: 'operation:read',
  notices: 'system:read',
};

/** How often a client that was skipped over is looked at again. */
const catchUpMilliseconds = 50;

interface Subscription {
  /** Up to where the client is complete. */
  position: string;
  readonly stop: () => void;
}

/** One client: says hello, subscribes, and gets no more than it can read. */
export function createConnection(socket: WebSocket, options: ConnectionOptions): StreamConnection {
  const { limits, topics, log } = options;
  const subscriptions = new Map<CollectionTopic, Subscription>();
  const followers = new Map<string, AbortController>();
  let actor: Actor | undefined;
  let greeting = false;
  let alive = true;

  const full = () => socket.bufferedAmount > limits.highWaterBytes;
  const send = (message: ServerMessage) => socket.send(JSON.stringify(message));
  const refuse = (code: string, detail: string, about: { topic?: CollectionTopic; subscription?: string } = {}) =>
    send({ type: 'error', code, detail, ...about });

  const deliver = (subscription: Subscription, frame: Frame) => {
    socket.send(frame.text);
    subscription.position = frame.position;
  };

  const subscribe = (topic: Topic, position: string | undefined) => {
    unsubscribe(topic.name);
    const subscription: Subscription = {
      position: position ?? '',
      stop: topic.subscribe((frame) => {
        if (lagging.has(topic.name)) return;
        if (full()) lagging.add(topic.name);
        else deliver(subscription, frame);
      }),
    };
    subscriptions.set(topic.name, subscription);
    const missing = position === undefined ? topic.snapshot() : topic.after(position);
    if (missing !== undefined) deliver(subscription, missing);
    else send({ type: 'delta', topic: topic.name, position: topic.position, changes: [] });
  };

  const unsubscribe = (topic: CollectionTopic) => {
    subscriptions.get(topic)?.stop();
    subscriptions.delete(topic);
    lagging.delete(topic);
  };

  /** Topics of which this client has missed deltas because it reads too slowly. */
  const lagging = new Set<CollectionTopic>();
  const catchUp = setInterval(() => {
    for (const name of lagging) {
      if (full()) return;
      const subscription = subscriptions.get(name);
      lagging.delete(name);
      const missing = subscription === undefined ? undefined : topics[name].after(subscription.position);
      if (subscription !== undefined && missing !== undefined) deliver(subscription, missing);
    }
  }, catchUpMilliseconds);

  const follow = (message: Extract<ClientMessage, { type: 'follow-logs' }>) => {
    const { subscription } = message;
    followers.get(subscription)?.abort();
    if (followers.size >= limits.followersPerConnection && !followers.has(subscription)) {
      refuse(
        'too_many_requests',
        `No more than ${limits.followersPerConnection} logs can be followed at once; end one first.`,
        { subscription },
      );
      return;
    }
    const controller = new AbortController();
    followers.set(subscription, controller);
    let skippedHere = 0;
    options.followLogs({
      host: message.host,
      container: message.container,
      tail: message.tail,
      since: message.since,
      signal: controller.signal,
      onLines: (lines, skipped, container) => {
        if (controller.signal.aborted) return;
        if (full()) {
          skippedHere += lines.length + skipped;
          return;
        }
        send({ type: 'log-lines', subscription, container, lines: [...lines], skipped: skipped + skippedHere });
        skippedHere = 0;
      },
      onState: (state, container, reason) => {
        if (!controller.signal.aborted) send({ type: 'log-state', subscription, state, container, reason });
      },
    });
  };

  const handle = (message: Exclude<ClientMessage, { type: 'hello' }>, who: Actor) => {
    if (message.type === 'ping') return send({ type: 'pong' });
    if (message.type === 'subscribe') {
      const needed = topicCapabilities[message.topic];
      if (can(who, needed)) return subscribe(topics[message.topic], message.position);
      return refuse('denied', `The topic ${message.topic} needs the permission ${needed}.`, { topic: message.topic });
    }
    if (message.type === 'follow-logs') {
      if (can(who, 'container:logs')) return follow(message);
      return refuse('denied', 'Logs need the permission container:logs.', { subscription: message.subscription });
    }
    if (message.topic !== undefined) unsubscribe(message.topic);
    if (message.subscription !== undefined) {
      followers.get(message.subscription)?.abort();
      followers.delete(message.subscription);
    }
  };

  const greet = async (message: Extract<ClientMessage, { type: 'hello' }>) => {
    greeting = true;
    const who = await options.authenticate({ ticket: message.ticket, accessToken: message.accessToken });
    if (who === undefined) return end(closeCodes.notSignedIn, 'the ticket or token is not good');
    if (!options.admit(who)) return end(closeCodes.tryLater, 'too many connections of this user');
    clearTimeout(helloTimer);
    actor = who;
    send({ type: 'welcome', build: options.build, user: who.name });
  };

  const receive = async (data: RawData, binary: boolean) => {
    const message = binary ? undefined : parse(String(data));
    if (message === undefined)
      return refuse('bad_input', 'The message is not one of the stream protocol; see the API reference.');
    if (message.type === 'hello') {
      if (greeting) return refuse('conflict', 'hello was said already.');
      return greet(message);
    }
    if (actor === undefined) return end(closeCodes.notSignedIn, 'hello has to come first');
    handle(message, actor);
  };

  const end = (code: number, reason: string) => {
    cleanUp();
    socket.close(code, reason);
    setTimeout(() => socket.terminate(), 1000).unref();
  };

  const cleanUp = () => {
    clearTimeout(helloTimer);
    clearInterval(heartbeat);
    clearInterval(catchUp);
    for (const subscription of subscriptions.values()) subscription.stop();
    for (const follower of followers.values()) follower.abort();
    subscriptions.clear();
    followers.clear();
    options.onClose();
  };

  const helloTimer = setTimeout(() => end(closeCodes.notSignedIn, 'no hello came'), limits.helloMilliseconds);
  const heartbeat = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, limits.pingMilliseconds);
  catchUp.unref();
  heartbeat.unref();

  socket.on('pong', () => {
    alive = true;
  });
  socket.on('message', (data, binary) => {
    receive(data, binary).catch((error: unknown) => {
      log.error({ err: error }, 'stream message failed');
      end(1011, 'an error of ours');
    });
  });
  socket.on('close', cleanUp);
  socket.on('error', (error) => log.debug({ reason: describeError(error) }, 'stream socket failed'));

  return {
    get actor() {
      return actor;
    },
    end,
  };
}

function parse(text: string): ClientMessage | undefined {
  try {
    return ClientMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
