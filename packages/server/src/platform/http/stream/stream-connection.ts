import { type Capability, type ClientMessage, type CollectionTopic, streamCloseCodes } from '@evenkeel/contract';
import type { RawData, WebSocket } from 'ws';
import { describeError } from '../../fault.ts';
import { type Actor, can } from '../actor.ts';
import { readMessage } from './client-message.ts';
import { createLogFollowers } from './log-followers.ts';
import { createMessageBudget } from './message-budget.ts';
import type { StreamLimits, StreamOptions } from './stream.ts';
import type { StreamLine } from './stream-line.ts';
import type { Topic } from './stream-topic.ts';
import { createTopicSubscriptions } from './topic-subscriptions.ts';

export interface StreamConnection {
  /** Undefined until a good `hello`. */
  readonly actor: Actor | undefined;
  /** Of its address: where it is counted while it has not said hello. */
  readonly network: string;
  readonly unsentBytes: number;
  end(reason: keyof typeof streamCloseCodes, text: string): void;
}

interface ConnectionOptions extends Omit<StreamOptions, 'limits'> {
  readonly limits: StreamLimits;
  readonly network: string;
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

type Hello = Extract<ClientMessage, { type: 'hello' }>;

/** One client: says hello, subscribes, and gets no more than it can read. */
export function createConnection(socket: WebSocket, options: ConnectionOptions): StreamConnection {
  const { limits, topics, log } = options;
  const line: StreamLine = {
    send: (message) => socket.send(JSON.stringify(message)),
    sendText: (text) => socket.send(text),
    full: () => socket.bufferedAmount > limits.highWaterBytes,
  };
  const subscriptions = createTopicSubscriptions(line);
  const followers = createLogFollowers(line, {
    followLogs: options.followLogs,
    most: limits.followersPerConnection,
  });
  const withinBudget = createMessageBudget(limits.messages, Date.now);
  /** What came after `hello` and before its answer. */
  const early: Exclude<ClientMessage, Hello>[] = [];
  let actor: Actor | undefined;
  let state: 'new' | 'greeting' | 'greeted' | 'over' = 'new';
  let alive = true;
  let pongDue = false;

  const handle = (message: Exclude<ClientMessage, Hello>, who: Actor): void => {
    switch (message.type) {
      case 'ping':
        if (line.full()) pongDue = true;
        else line.send({ type: 'pong' });
        return;
      case 'subscribe': {
        const { topic } = message;
        const needed = topicCapabilities[topic];
        if (can(who, needed)) subscriptions.subscribe(topics[topic], message.position);
        else
          line.send({
            type: 'error',
            code: 'denied',
            detail: `The topic ${topic} needs the permission ${needed}.`,
            topic,
          });
        return;
      }
      case 'follow-logs': {
        const { subscription } = message;
        const detail = 'Logs need the permission container:logs.';
        if (can(who, 'container:logs')) followers.follow(message);
        else line.send({ type: 'error', code: 'denied', detail, subscription });
        return;
      }
      case 'unsubscribe':
        if (message.topic !== undefined) subscriptions.unsubscribe(message.topic);
        if (message.subscription !== undefined) followers.end(message.subscription);
    }
  };

  const greet = async ({ ticket, accessToken }: Hello): Promise<void> => {
    state = 'greeting';
    const who = await options.authenticate({ ticket, accessToken });
    if (isOver()) return;
    if (who === undefined) return end('notSignedIn', 'the ticket or token is not good');
    if (!options.admit(who)) return end('tryLater', 'too many connections');
    clearTimeout(helloTimer);
    actor = who;
    state = 'greeted';
    line.send({ type: 'welcome', build: options.build, user: who.name });
    for (const message of early.splice(0)) handle(message, who);
  };

  /** The socket may have gone while something was awaited. */
  const isOver = () => state === 'over';

  const receive = async (data: RawData, binary: boolean): Promise<void> => {
    if (isOver()) return;
    if (!withinBudget()) return end('tryLater', 'too many messages');
    const message = readMessage(binary ? '' : String(data));
    if (message.type === 'error') {
      if (actor === undefined) return end('notSignedIn', 'hello has to come first');
      return line.send(message);
    }
    if (message.type === 'hello') {
      if (state === 'new') return greet(message);
      return line.send({ type: 'error', code: 'conflict', detail: 'hello was said already.' });
    }
    if (state === 'greeting') early.push(message);
    else if (actor === undefined) end('notSignedIn', 'hello has to come first');
    else handle(message, actor);
  };

  const catchUp = setInterval(() => {
    subscriptions.catchUp();
    followers.catchUp();
    if (!pongDue || line.full()) return;
    pongDue = false;
    line.send({ type: 'pong' });
  }, catchUpMilliseconds).unref();

  const end: StreamConnection['end'] = (reason, text) => {
    cleanUp();
    socket.close(streamCloseCodes[reason].code, text);
    setTimeout(() => socket.terminate(), 1000).unref();
  };

  const cleanUp = (): void => {
    state = 'over';
    clearTimeout(helloTimer);
    clearInterval(heartbeat);
    clearInterval(catchUp);
    subscriptions.close();
    followers.close();
    options.onClose();
  };

  const helloTimer = setTimeout(() => end('notSignedIn', 'no hello came'), limits.helloMilliseconds);
  const heartbeat = setInterval(() => {
    if (!alive) return socket.terminate();
    if (actor !== undefined && !options.inForce(actor)) return end('sessionEnded', 'the session has ended');
    alive = false;
    socket.ping();
  }, limits.pingMilliseconds).unref();

  socket.on('pong', () => {
    alive = true;
  });
  socket.on('message', (data, binary) => {
    receive(data, binary).catch((error: unknown) => {
      log.error({ err: error }, 'stream message failed');
      cleanUp();
      socket.close(1011, 'an error of ours');
    });
  });
  socket.on('close', cleanUp);
  socket.on('error', (error) => log.debug({ reason: describeError(error) }, 'stream socket failed'));

  return {
    get actor() {
      return actor;
    },
    network: options.network,
    get unsentBytes() {
      return socket.bufferedAmount;
    },
    end,
  };
}
