import { z } from 'zod';
import { LogLine } from './containers.ts';
import { FieldProblem } from './problem.ts';

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
  z
    .strictObject({
      type: z.literal('hello'),
      ticket: z.string().max(200).optional().describe('From `POST /api/v1/stream-tickets`: good once, for 30 seconds'),
      accessToken: z.string().max(4096).optional().describe('For clients that are not browsers'),
    })
    .describe('The first message, within 10 seconds'),
  z
    .strictObject({
      type: z.literal('subscribe'),
      topic: z.enum(collectionTopics),
      position: z.string().max(80).optional().describe('The last one known: only what came after it is sent'),
    })
    .describe('Asks for a topic; again with the last position after a gap'),
  z
    .strictObject({
      type: z.literal('follow-logs'),
      subscription: z.string().min(1).max(64).describe('Chosen by the client'),
      host: z.string().max(64),
      container: z
        .string()
        .max(255)
        .describe('Id or name. By name the follower goes on with the replacement after an update'),
      tail: z.int().min(0).max(10_000).default(500),
      since: z.iso.datetime({ offset: true }).max(40).optional().describe('RFC 3339: only lines from then on'),
    })
    .describe('Asks for the output of a container'),
  z
    .strictObject({
      type: z.literal('unsubscribe'),
      topic: z.enum(collectionTopics).optional(),
      subscription: z.string().max(64).optional(),
    })
    .describe('Ends a topic or a log'),
  z.strictObject({ type: z.literal('ping') }).describe('Is answered with `pong`'),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

export const CollectionChange = z.discriminatedUnion('op', [
  z.object({ op: z.literal('put'), key: z.string(), item: z.unknown().describe('As the list of the topic gives it') }),
  z.object({ op: z.literal('remove'), key: z.string() }),
]);
export type CollectionChange = z.infer<typeof CollectionChange>;

const topic = z.enum(collectionTopics);
const position = z.string().describe('Up to here the topic is complete');
const subscription = z.string().describe('As the client chose it');

export const ServerMessage = z.discriminatedUnion('type', [
  z
    .object({
      type: z.literal('welcome'),
      build: z.string().describe('Changes with each build of the web application'),
      user: z.string(),
    })
    .describe('The answer to a good `hello`'),
  z
    .object({ type: z.literal('snapshot'), topic, position, items: z.array(z.unknown()) })
    .describe('All items of a topic; what was known of it before is over'),
  z
    .object({ type: z.literal('delta'), topic, position, changes: z.array(CollectionChange) })
    .describe('What has changed since the position before'),
  z
    .object({
      type: z.literal('log-lines'),
      subscription,
      container: z.string().describe('Id'),
      lines: z.array(LogLine),
      skipped: z.int().describe('Lines left out before these, because the client reads too slowly'),
    })
    .describe('Output of a container'),
  z
    .object({
      type: z.literal('log-state'),
      subscription,
      state: z
        .enum(['following', 'replaced', 'ended', 'failed'])
        .describe(
          '`replaced`: goes on with the container that has the name now. `ended`: it has stopped; more comes when it runs again. `failed`: this subscription is over',
        ),
      container: z.string(),
      reason: z.string().nullable(),
    })
    .describe('How it stands with a log'),
  z
    .object({
      type: z.literal('error'),
      code: z.string().describe('One of the error codes'),
      detail: z.string(),
      fields: z.array(FieldProblem).optional().describe('For `bad_input`: every wrong field with the rule'),
      topic: topic.optional(),
      subscription: subscription.optional(),
    })
    .describe('A message that was refused; the connection goes on'),
  z.object({ type: z.literal('pong') }).describe('The answer to `ping`'),
]);
export type ServerMessage = z.infer<typeof ServerMessage>;

/** Why the server closes a stream: WebSocket close codes (RFC 6455, section 7.4); the 4xxx are ours. */
export const streamCloseCodes = {
  goingAway: { code: 1001, meaning: 'The server is stopping: come back' },
  tryLater: { code: 1013, meaning: 'Too many connections of this user, or too many messages: come back later' },
  notSignedIn: { code: 4401, meaning: 'No good `hello`: get a new ticket or token' },
  sessionEnded: { code: 4403, meaning: 'The session has ended: log in' },
} as const;
