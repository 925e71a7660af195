import type { Clock } from '../platform/clock.ts';
import { Fault } from '../platform/fault.ts';
import type { Store } from '../platform/store/store.ts';
import { createUnwritten } from '../platform/store/unwritten.ts';
import { createThrottleStore, type ThrottleRow } from './throttle-store.ts';

/** What attempts are counted by, and how many of them may fail before waiting begins. */
export interface Bucket {
  readonly name: string;
  readonly free: number;
}

export interface Attempt {
  /** The password was right: what was counted for this attempt is taken back. */
  succeeded(): void;
}

export interface Throttle {
  /** Counts an attempt before its password is looked at, so that parallel ones count too. Throws `too_many_requests`. */
  enter(buckets: readonly Bucket[]): Attempt;
}

const longestDelay = 15 * 60_000;
/** After this time without an attempt, a bucket is empty again. */
const forgetAfter = 60 * 60_000;
/** While the disk is full, so many buckets are counted in memory. */
const mostUnwritten = 2000;

/** Delays grow from 1 s to 15 min with each failure; nobody is ever locked out for good. */
export function createThrottle(parts: { store: Store; clock: Clock }): Throttle {
  const { clock } = parts;
  const { writing } = parts.store;
  const store = createThrottleStore(parts.store);
  const unwritten = createUnwritten<ThrottleRow>({ writing, write: store.put, most: mostUnwritten });
  try {
    store.prune(clock.now() - forgetAfter);
  } catch (error) {
    if (!writing.report(error)) throw error;
  }

  function put(rows: readonly ThrottleRow[]): void {
    unwritten.put(new Map(rows.map((row) => [row.bucket, row])));
  }

  function present(bucket: string, now: number): ThrottleRow {
    const row = unwritten.get(bucket) ?? store.get(bucket);
    // A clock that was set back must not keep a bucket blocked for longer than the longest delay.
    if (row === undefined || now - row.updated_at > forgetAfter || row.updated_at - now > longestDelay)
      return { bucket, failures: 0, blocked_until: 0, updated_at: now };
    return row;
  }

  return {
    enter(buckets) {
      const now = clock.now();
      const rows = buckets.map(({ name }) => present(name, now));
      const until = Math.max(...rows.map((row) => row.blocked_until));
      if (until > now) throw tooMany(until - now);
      put(
        rows.map((row, index) => {
          const failures = row.failures + 1;
          const over = failures - (buckets[index]?.free ?? 0);
          const delay = over >= 0 ? Math.min(longestDelay, 1000 * 2 ** Math.min(over, 20)) : 0;
          return { bucket: row.bucket, failures, blocked_until: now + delay, updated_at: now };
        }),
      );
      return {
        succeeded() {
          const later = clock.now();
          put(
            buckets.map(({ name }, index) => {
              const row = present(name, later);
              // The first bucket is the account's own: a right password clears it. The others only forget this attempt.
              const failures = index === 0 ? 0 : Math.max(0, row.failures - 1);
              return { bucket: name, failures, blocked_until: rows[index]?.blocked_until ?? 0, updated_at: later };
            }),
          );
        },
      };
    },
  };
}

function tooMany(milliseconds: number): Fault {
  const seconds = Math.ceil(milliseconds / 1000);
  return new Fault('too_many_requests', `Too many failed attempts. Try again in ${seconds} s.`, {
    retryAfterSeconds: seconds,
  });
}
