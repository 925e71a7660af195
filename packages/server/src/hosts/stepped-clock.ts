import type { Clock } from '../platform/clock.ts';

/** For tests: time that passes when the test says so. */
export interface SteppedClock extends Clock {
  /** The waits that are under way, in the order in which they began, in milliseconds. */
  waits(): number[];
  /** Lets time pass, waking each sleeper at its moment. */
  advance(milliseconds: number): Promise<void>;
}

export function steppedClock(start = Date.parse('2026-11-25T10:00:00Z')): SteppedClock {
  let now = start;
  const sleepers = new Set<{ at: number; wait: number; wake: () => void }>();
  return {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const sleeper = { at: now + milliseconds, wait: milliseconds, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
    waits: () => [...sleepers].map(({ wait }) => wait),
    async advance(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        // Let whoever was woken fall asleep again before the next is looked for.
        await new Promise((resolve) => setImmediate(resolve));
        const [next] = [...sleepers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
        if (next === undefined) break;
        sleepers.delete(next);
        now = next.at;
        next.wake();
      }
      now = end;
    },
  };
}
