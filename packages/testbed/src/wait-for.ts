import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Upper bound; 30 s when left out. */
  timeoutMs?: number;
  /** What is waited for, as it should read in the error: "web to be healthy". */
  describe?: string;
  /** Shortest pause between two looks; 25 ms when left out. A look that takes longer makes the pause as long. */
  everyMs?: number;
}

/**
 * Calls the condition until it returns something truthy and returns that. An error thrown by the condition counts as
 * "not yet" and is the cause of the time-out error.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 30_000, describe = 'the condition', everyMs = 25 }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    const looked = performance.now();
    try {
      const value = await condition();
      if (value) return value as NonNullable<T>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${describe}.`, { cause });
    // Watching must not take more than half of what the watched one could do with the machine.
    await sleep(Math.max(everyMs, performance.now() - looked));
  }
}
