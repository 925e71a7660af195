import { z } from 'zod';
import type { Cost } from './costs.ts';
import type { ErrorCode } from './errors.ts';
import type { Capability } from './session.ts';

/** Who may call a route: everybody, anybody who is signed in, or an actor with the capability. */
export type Access = 'public' | 'signed-in' | Capability;

/** One operation of the native API. A route that is not in the table does not exist. */
export interface RouteSpec {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** In the style of fastify: `/api/v1/hosts/:host`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly access: Access;
  /** How much of it one actor may ask for. */
  readonly cost: Cost;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Only for lists: the fields that `sort` takes; the first is the default, `-` before it where that is descending. */
  readonly sorts?: readonly [string, ...string[]];
  /** The cookie that may stand for a token here; a browser then has to send `x-evenkeel-request` too. */
  readonly cookie?: string;
  readonly status: 200 | 201 | 202 | 204;
  readonly response?: z.ZodType;
  /** Codes beyond those that every route can answer with. */
  readonly errors: readonly ErrorCode[];
}

/** Keeps the literal types of a route, which handlers and clients are typed by. */
export function route<const T extends RouteSpec>(spec: T): T {
  return spec;
}

export const IdParams = z.strictObject({ id: z.string().min(1).max(100) });
export const HostParams = z.strictObject({ host: z.string().min(1).max(64) });
export const engineErrors = ['not_found', 'conflict', 'busy', 'engine_unreachable', 'engine_refused'] as const;
