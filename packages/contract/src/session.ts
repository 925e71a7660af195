import { z } from 'zod';
import { Moment } from './page.ts';

/**
 * What an actor may do. Code asks for capabilities, never for roles; roles are data that grant them.
 * The table grows with the product.
 */
export const capabilities = [
  'system:read',
  'host:read',
  'container:read',
  'container:logs',
  'container:write',
  'update:read',
  'update:check',
  'update:run',
  'operation:read',
  'operation:cancel',
  'registry:read',
  'registry:write',
  'settings:read',
  'settings:manage',
] as const;
export const Capability = z.enum(capabilities);
export type Capability = z.infer<typeof Capability>;

export const Username = z
  .string()
  .min(2)
  .max(64)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'letters, digits, dot, dash and underscore, beginning with a letter or digit');
export const Password = z.string().min(8).max(512).describe('8 to 512 characters; very common ones are refused');

export const Email = z.email().max(254);

export const User = z.object({
  id: z.string(),
  username: z.string(),
  email: z.string().nullable(),
  role: z.enum(['owner', 'admin', 'operator', 'viewer']),
  capabilities: z.array(Capability),
  createdAt: Moment,
});
export type User = z.infer<typeof User>;

export const SetupState = z.object({ setupNeeded: z.boolean() });
export type SetupState = z.infer<typeof SetupState>;

export const SetupBody = z.strictObject({
  token: z.string().min(1).max(200).describe('The one-time token that the server prints at its start'),
  username: Username,
  email: Email.optional(),
  password: Password,
  kind: z.enum(['browser', 'bearer']).default('browser'),
});
export type SetupBody = z.infer<typeof SetupBody>;

export const LoginBody = z.strictObject({
  username: z.string().min(1).max(254).describe('Username or e-mail'),
  password: z.string().min(1).max(512),
  kind: z
    .enum(['browser', 'bearer'])
    .default('browser')
    .describe('`browser`: the refresh token comes as an HttpOnly cookie. `bearer`: it comes in the body'),
});
export type LoginBody = z.infer<typeof LoginBody>;

/** A session as it is given out: the access token lives 15 minutes and goes into `Authorization: Bearer …`. */
export const Session = z.object({
  accessToken: z.string(),
  expiresAt: Moment,
  refreshToken: z.string().optional().describe('Only for `kind: bearer`'),
  user: User,
});
export type Session = z.infer<typeof Session>;

export const RefreshBody = z.strictObject({
  refreshToken: z.string().max(200).optional().describe('Only for `kind: bearer`; browsers send their cookie'),
});
export type RefreshBody = z.infer<typeof RefreshBody>;

export const ChangePasswordBody = z.strictObject({
  currentPassword: z.string().min(1).max(512),
  newPassword: Password,
});
export type ChangePasswordBody = z.infer<typeof ChangePasswordBody>;

/** A ticket opens one stream within 30 seconds; it stands in the first message, never in a URL. */
export const StreamTicket = z.object({ ticket: z.string(), expiresAt: Moment });
export type StreamTicket = z.infer<typeof StreamTicket>;
