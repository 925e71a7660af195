import type { Clock } from '../platform/clock.ts';

/** Timers cannot reach further than 24 days, and a clock that jumps should be noticed within the hour. */
const longestSleep = 3_600_000;

/** One timer for one moment. */
export interface Alarm {
  /** The moment to ring at (epoch milliseconds), in place of the one before; undefined: not at all. */
  set(at: number | undefined): void;
  close(): void;
}

/** `ring` is never called from within `set`, once for each moment, and not after `close`. */
export function createAlarm({ clock, ring }: { clock: Clock; ring: () => void }): Alarm {
  let round = new AbortController();
  let set: number | undefined;
  let closed = false;

  async function wait(until: number, signal: AbortSignal): Promise<void> {
    do {
      await clock.sleep(Math.min(Math.max(0, until - clock.now()), longestSleep), signal);
    } while (clock.now() < until);
    if (signal.aborted) return;
    set = undefined;
    ring();
  }

  return {
    set(at) {
      if (closed || at === set) return;
      round.abort();
      round = new AbortController();
      set = at;
      if (at === undefined) return;
      const { signal } = round;
      wait(at, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    },
    close() {
      closed = true;
      round.abort();
    },
  };
}
