import type { Clock } from './clock.ts';

/** For tests: time that passes when the test says so. */
export interface TestClock extends Clock {
  /** The waits that are under way, in the order in which they began, in milliseconds. */
  waits(): number[];
  /** Lets time pass, waking each sleeper at its moment. */
  advance(milliseconds: number): Promise<void>;
  /** Lets everything that needs no time go on until nothing does. */
  settle(): Promise<void>;
}

export function testClock(start = 0): TestClock {
  let now = start;
  const sleepers = new Set<{ at: number; wait: number; wake: () => void }>();

  async function settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  return {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const sleeper = { at: now + milliseconds, wait: milliseconds, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
    waits: () => [...sleepers].map(({ wait }) => wait),
    settle,
    async advance(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        // Let whoever was woken fall asleep again before the next is looked for.
        await settle();
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
