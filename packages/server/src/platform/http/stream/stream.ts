import { type CollectionTopic, collectionTopics, type LogLine } from '@evenkeel/contract';
import type { WebSocket } from 'ws';
import type { LiveCollection } from '../../bus/live-collection.ts';
import type { Log } from '../../log/log.ts';
import type { Actor } from '../actor.ts';
import { closeCodes } from './close-codes.ts';
import { createConnection, type StreamConnection } from './stream-connection.ts';
import { createTopic, type Topic } from './stream-topic.ts';

/** How the stream gets at container output; the containers slice gives it. Ends with the signal. */
export type FollowLogs = (request: {
  readonly host: string;
  readonly container: string;
  readonly tail: number;
  readonly since: string | undefined;
  readonly signal: AbortSignal;
  readonly onLines: (lines: readonly LogLine[], skipped: number, container: string) => void;
  readonly onState: (
    state: 'following' | 'replaced' | 'ended' | 'failed',
    container: string,
    reason: string | null,
  ) => void;
}) => void;

export interface StreamOptions {
  /** Changes with each build of the web application. */
  readonly build: string;
  readonly collections: Readonly<Record<CollectionTopic, LiveCollection<never>>>;
  readonly followLogs: FollowLogs;
  /** Undefined for a ticket or token that is not (or no longer) good. */
  readonly authenticate: (hello: {
    ticket: string | undefined;
    accessToken: string | undefined;
  }) => Promise<Actor | undefined>;
  readonly log: Log;
  readonly limits?: Partial<StreamLimits>;
}

export interface StreamLimits {
  readonly connections: number;
  readonly connectionsPerActor: number;
  readonly followersPerConnection: number;
  /** A client that has not said a good `hello` by then is sent away. */
  readonly helloMilliseconds: number;
  readonly pingMilliseconds: number;
  /** Above this many unsent bytes a client is skipped over. */
  readonly highWaterBytes: number;
}

const defaultLimits: StreamLimits = {
  connections: 1000,
  connectionsPerActor: 50,
  followersPerConnection: 20,
  helloMilliseconds: 10_000,
  pingMilliseconds: 30_000,
  highWaterBytes: 1_048_576,
};

/** The stream of contract/stream.ts. The caller has checked Origin and Host before the upgrade. */
export interface Stream {
  /** Takes over a socket. Sends it away with 1013 when there are too many. */
  accept(socket: WebSocket): void;
  /** Closes every stream of a session at once: log-out, changed password, removed user. */
  endSession(session: string): void;
  readonly connections: number;
  close(): void;
}

export function createStream(options: StreamOptions): Stream {
  const limits = { ...defaultLimits, ...options.limits };
  const connections = new Set<StreamConnection>();
  const topics = Object.fromEntries(
    collectionTopics.map((topic) => [topic, createTopic(topic, options.collections[topic])]),
  ) as Readonly<Record<CollectionTopic, Topic>>;

  const ofActor = (actor: Actor) => [...connections].filter((connection) => connection.actor?.id === actor.id).length;

  return {
    accept: (socket) => {
      if (connections.size >= limits.connections) {
        socket.close(closeCodes.tryLater, 'too many connections');
        return;
      }
      const connection = createConnection(socket, {
        ...options,
        limits,
        topics,
        admit: (actor) => ofActor(actor) < limits.connectionsPerActor,
        onClose: () => connections.delete(connection),
      });
      connections.add(connection);
    },
    endSession: (session) => {
      for (const connection of connections) {
        if (connection.actor?.session === session) connection.end(closeCodes.sessionEnded, 'the session has ended');
      }
    },
    get connections() {
      return connections.size;
    },
    close: () => {
      for (const connection of connections) connection.end(closeCodes.goingAway, 'the server is stopping');
      for (const topic of Object.values(topics)) topic.close();
    },
  };
}
