import type { Clock } from '../platform/clock.ts';

/** Timers cannot reach further than 24 days, and a clock that jumps should be noticed within the hour. */
const longestSleep = 3_600_000;

export interface ScheduleOptions {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Minutes between two checks; 0 for none. */
  readonly everyMinutes: () => number;
  readonly due: () => void;
  /** What new containers wait for, so that many that appear together are checked together. */
  readonly soonMilliseconds: number;
  readonly soon: () => void;
}

/** When checks run by themselves. */
export interface Schedule {
  /** Something new has appeared: `soon` is called once, a little later. */
  nudge(): void;
  /** The interval may have changed. */
  restart(): void;
  close(): Promise<void>;
}

export function createSchedule(options: ScheduleOptions): Schedule {
  const { clock, random, everyMinutes, due, soonMilliseconds, soon } = options;
  const closing = new AbortController();
  let round = new AbortController();
  let running = Promise.resolve();
  let nudged: Promise<void> | undefined;

  /** A tenth earlier or later, so that many installations do not ask a registry at the same minute. */
  async function repeat(signal: AbortSignal): Promise<void> {
    while (everyMinutes() > 0) {
      const until = clock.now() + everyMinutes() * 60_000 * (0.9 + 0.2 * random());
      for (let left = until - clock.now(); left > 0; left = until - clock.now()) {
        await clock.sleep(Math.min(left, longestSleep), signal);
      }
      due();
    }
  }

  function begin(): void {
    const { signal } = round;
    running = repeat(AbortSignal.any([signal, closing.signal])).catch((error: unknown) => {
      if (!signal.aborted && !closing.signal.aborted) throw error;
    });
  }

  begin();
  return {
    nudge() {
      if (closing.signal.aborted) return;
      nudged ??= clock
        .sleep(soonMilliseconds, closing.signal)
        .then(() => {
          nudged = undefined;
          soon();
        })
        .catch((error: unknown) => {
          nudged = undefined;
          if (!closing.signal.aborted) throw error;
        });
    },
    restart() {
      round.abort();
      round = new AbortController();
      if (!closing.signal.aborted) begin();
    },
    async close() {
      closing.abort();
      await Promise.all([running, nudged]);
    },
  };
}
