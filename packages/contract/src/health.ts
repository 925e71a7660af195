import { z } from 'zod';

/** `degraded`: works, but a host, the database or a recovery needs attention; `notices` say which and what to do. */
export const Health = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  build: z.string().describe('Changes with each build of the web application: an open page with another one reloads'),
});
export type Health = z.infer<typeof Health>;

export const SystemNotice = z.object({
  code: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  text: z.string(),
  remedy: z.string().nullable(),
});
export type SystemNotice = z.infer<typeof SystemNotice>;

export const SystemState = z.object({
  version: z.string(),
  build: z.string(),
  readOnly: z.boolean().describe('The database cannot be written: nothing can be changed'),
  encrypted: z.boolean().describe('This request came over TLS'),
  notices: z.array(SystemNotice),
});
export type SystemState = z.infer<typeof SystemState>;
