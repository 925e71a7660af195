import { z } from 'zod';
import { Moment } from './page.ts';

/** A Docker Engine that we manage. An unreachable one keeps its last picture, marked stale. */
export const Host = z.object({
  id: z.string().describe('Short name, for example `local`'),
  name: z.string(),
  endpoint: z.string().describe('`unix:///var/run/docker.sock`, `tcp://…`'),
  state: z
    .enum(['connecting', 'online', 'unreachable'])
    .describe('`connecting`: never seen yet. `unreachable`: what is shown is its last picture'),
  reason: z.string().nullable().describe('Why it is not online, and what to do'),
  engineVersion: z.string().nullable(),
  apiVersion: z.string().nullable().describe('The negotiated API version'),
  operatingSystem: z.string().nullable(),
  architecture: z.string().nullable(),
  containers: z.int(),
  running: z.int(),
  lastSeenAt: Moment.nullable(),
  listedAt: Moment.nullable().describe('Last full listing'),
  eventLagMilliseconds: z.number().nullable(),
});
export type Host = z.infer<typeof Host>;
