import { z } from 'zod';
import { Moment } from './page.ts';

export const RegistryHost = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[a-zA-Z0-9.-]+(:\d{1,5})?$/, 'a host name with an optional port, without scheme or path');

/** A stored registry entry, or a host that was asked without one. The password is sealed and never given out. */
export const Registry = z.object({
  id: z.string(),
  host: z.string(),
  stored: z.boolean().describe('False for a host that was asked without an entry: only its health is known'),
  username: z.string().nullable(),
  passwordSet: z.boolean(),
  insecure: z.boolean().describe('Plain HTTP is allowed to this host'),
  caCertificate: z.string().nullable().describe('PEM of a private certificate authority'),
  tokenHosts: z.array(z.string()).describe('Other hosts that may be given the credentials as token service'),
  health: z.object({
    state: z.enum(['unused', 'ok', 'cooling-down', 'sick', 'denied']),
    reason: z.string().nullable(),
    coolDownUntil: Moment.nullable(),
    rateLimitRemaining: z.number().nullable(),
    requests: z.int(),
  }),
  createdAt: Moment,
});
export type Registry = z.infer<typeof Registry>;

export const RegistryBody = z.strictObject({
  host: RegistryHost,
  username: z.string().max(255).optional(),
  password: z.string().max(4096).optional().describe('Write-only'),
  insecure: z.boolean().default(false),
  caCertificate: z.string().max(100_000).optional(),
  tokenHosts: z.array(RegistryHost).max(20).default([]),
});
export type RegistryBody = z.infer<typeof RegistryBody>;
export const RegistryPatch = RegistryBody.omit({ host: true })
  .extend({ insecure: z.boolean().optional(), tokenHosts: z.array(RegistryHost).max(20).optional() })
  .partial();
export type RegistryPatch = z.infer<typeof RegistryPatch>;

export const RegistryTest = z.object({ ok: z.boolean(), detail: z.string() });
