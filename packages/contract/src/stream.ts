import { z } from 'zod';
import type { LogLine } from './containers.ts';

/**
 * `/api/v1/stream`, one WebSocket (RFC 6455), JSON text frames.
 *
 * The client begins with `hello` (a ticket, or an access token for clients that are not browsers), then subscribes.
 * A collection topic answers with a `snapshot`, then `delta`s; each carries the `position` up to which it is complete.
 * After a gap the client subscribes again with the last position: it gets the missing deltas, or a snapshot when the
 * gap is too old. A client that reads too slowly is skipped over and gets one delta or snapshot when it has caught up.
 */
export const collectionTopics = ['hosts', 'containers', 'updates', 'runs', 'operations', 'notices'] as const;
export type CollectionTopic = (typeof collectionTopics)[number];

export const ClientMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    ticket: z.string().max(200).optional(),
    accessToken: z.string().max(4096).optional(),
  }),
  z.strictObject({
    type: z.literal('subscribe'),
    topic: z.enum(collectionTopics),
    position: z.string().max(80).optional(),
  }),
  z.strictObject({
    type: z.literal('follow-logs'),
    subscription: z.string().min(1).max(64).describe('Chosen by the client'),
    host: z.string().max(64),
    container: z
      .string()
      .max(255)
      .describe('Id or name. By name the follower goes on with the replacement after an update'),
    tail: z.int().min(0).max(10_000).default(500),
    since: z.string().max(40).optional(),
  }),
  z.strictObject({
    type: z.literal('unsubscribe'),
    topic: z.enum(collectionTopics).optional(),
    subscription: z.string().max(64).optional(),
  }),
  z.strictObject({ type: z.literal('ping') }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

export type CollectionChange = { op: 'put'; key: string; item: unknown } | { op: 'remove'; key: string };

export type ServerMessage =
  | { type: 'welcome'; build: string; user: string }
  | { type: 'snapshot'; topic: CollectionTopic; position: string; items: unknown[] }
  | { type: 'delta'; topic: CollectionTopic; position: string; changes: CollectionChange[] }
  | { type: 'log-lines'; subscription: string; container: string; lines: LogLine[]; skipped: number }
  | {
      type: 'log-state';
      subscription: string;
      state: 'following' | 'replaced' | 'ended' | 'failed';
      container: string;
      reason: string | null;
    }
  | { type: 'error'; code: string; detail: string; topic?: CollectionTopic; subscription?: string }
  | { type: 'pong' };
