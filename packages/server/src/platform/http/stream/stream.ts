import { type CollectionTopic, collectionTopics, streamCloseCodes } from '@evenkeel/contract';
import type { WebSocket } from 'ws';
import type { LiveCollection } from '../../bus/live-collection.ts';
import { Fault } from '../../fault.ts';
import type { Log } from '../../log/log.ts';
import type { Actor } from '../actor.ts';
import { networkOf } from '../network-of.ts';
import type { FollowLogs } from './follow-logs.ts';
import type { MessageBudget } from './message-budget.ts';
import { createConnection, type StreamConnection } from './stream-connection.ts';
import { createTopic, type Topic } from './stream-topic.ts';

/** What the stream needs of a collection: to read it and to be told of changes. */
export type ReadableCollection = Pick<LiveCollection<unknown>, 'position' | 'values' | 'since' | 'subscribe'>;
export type StreamCollections = Readonly<Record<CollectionTopic, ReadableCollection>>;

export interface StreamOptions {
  /** Changes with each build of the web application. */
  readonly build: string;
  readonly collections: StreamCollections;
  readonly followLogs: FollowLogs;
  /** Undefined for a ticket or token that is not (or no longer) good. */
  readonly authenticate: (hello: {
    ticket: string | undefined;
    accessToken: string | undefined;
  }) => Promise<Actor | undefined>;
  /** Whether the session of an actor still holds. */
  readonly inForce: (actor: Actor) => boolean;
  readonly log: Log;
  readonly limits?: Partial<StreamLimits>;
}

export interface StreamLimits {
  /** Of signed-in clients. */
  readonly connections: number;
  readonly connectionsPerActor: number;
  /** Sockets that have not said a good `hello` yet. They are counted apart, so that strangers take no place of those who may. */
  readonly ungreeted: number;
  readonly ungreetedPerNetwork: number;
  readonly followersPerConnection: number;
  readonly messages: MessageBudget;
  /** A client that has not said a good `hello` by then is sent away. */
  readonly helloMilliseconds: number;
  readonly pingMilliseconds: number;
  /** Above this many unsent bytes a client is skipped over. */
  readonly highWaterBytes: number;
}

const defaultLimits: StreamLimits = {
  connections: 1000,
  connectionsPerActor: 50,
  ungreeted: 200,
  ungreetedPerNetwork: 50,
  followersPerConnection: 20,
  messages: { burst: 200, perSecond: 20 },
  helloMilliseconds: 10_000,
  pingMilliseconds: 30_000,
  highWaterBytes: 1_048_576,
};

/** The stream of contract/stream.ts. The caller has checked Origin and Host before the upgrade. */
export interface Stream {
  /** Whether one more socket from this address may come. Throws `too_many_requests`: asked before the upgrade. */
  admit(address: string): void;
  /** Takes over a socket. Sends it away with 1013 when there are too many after all. */
  accept(socket: WebSocket, address: string): void;
  /** Closes every stream of a session at once: log-out, changed password, removed user. */
  endSession(session: string): void;
  readonly connections: number;
  /** Waiting for slow clients. */
  readonly unsentBytes: number;
  close(): void;
}

export function createStream(options: StreamOptions): Stream {
  const limits = { ...defaultLimits, ...options.limits };
  const connections = new Set<StreamConnection>();
  const topics = Object.fromEntries(
    collectionTopics.map((topic) => [topic, createTopic(topic, options.collections[topic])]),
  ) as Readonly<Record<CollectionTopic, Topic>>;

  function hasRoom(network: string): boolean {
    let [greeted, ungreeted, here] = [0, 0, 0];
    for (const connection of connections) {
      if (connection.actor !== undefined) greeted += 1;
      else ungreeted += 1;
      if (connection.actor === undefined && connection.network === network) here += 1;
    }
    return greeted < limits.connections && ungreeted < limits.ungreeted && here < limits.ungreetedPerNetwork;
  }

  function admits(actor: Actor): boolean {
    const greeted = [...connections].filter((connection) => connection.actor !== undefined);
    if (greeted.length >= limits.connections) return false;
    return greeted.filter((connection) => connection.actor?.id === actor.id).length < limits.connectionsPerActor;
  }

  return {
    admit(address) {
      if (hasRoom(networkOf(address))) return;
      throw new Fault('too_many_requests', 'Too many streams are open. Try again in a moment.', {
        retryAfterSeconds: 10,
      });
    },
    accept(socket, address) {
      const network = networkOf(address);
      if (!hasRoom(network)) {
        socket.close(streamCloseCodes.tryLater.code, 'too many connections');
        return;
      }
      const connection = createConnection(socket, {
        ...options,
        limits,
        network,
        topics,
        admit: admits,
        onClose: () => connections.delete(connection),
      });
      connections.add(connection);
    },
    endSession(session) {
      for (const connection of connections) {
        if (connection.actor?.session === session) connection.end('sessionEnded', 'the session has ended');
      }
    },
    get connections() {
      return connections.size;
    },
    get unsentBytes() {
      let sum = 0;
      for (const { unsentBytes } of connections) sum += unsentBytes;
      return sum;
    },
    close() {
      for (const connection of connections) connection.end('goingAway', 'the server is stopping');
      for (const topic of Object.values(topics)) topic.close();
    },
  };
}
