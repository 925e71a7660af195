import type { Capability } from '@evenkeel/contract';

/** Who asks. Every face passes one; there is no back door. */
export interface Actor {
  readonly kind: 'user' | 'system';
  readonly id: string;
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** The session it came with, so that ending the session can close its streams. */
  readonly session: string | undefined;
}

export function can(actor: Actor, capability: Capability): boolean {
  return actor.kind === 'system' || actor.capabilities.has(capability);
}

/** Schedules and recovery act in this name. */
export const systemActor: Actor = {
  kind: 'system',
  id: 'system',
  name: 'system',
  capabilities: new Set(),
  session: undefined,
};
