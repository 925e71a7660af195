import { setTimeout as delay } from 'node:timers/promises';

/** Time is passed in, so that schedules and ages can be tested. Milliseconds since the epoch, UTC. */
export interface Clock {
  now(): number;
  /** Resolves after `milliseconds`, or rejects with the reason of the signal. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, signal ? { signal } : {}),
};

/** `2026-11-25T09:00:00.000Z`. */
export function moment(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
