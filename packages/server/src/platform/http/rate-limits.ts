import { type Cost, costs } from '@evenkeel/contract';
import { Fault } from '../fault.ts';

/** How much each actor may ask for, by cost class (`contract/src/costs.ts`). In memory: a restart forgives. */
export interface RateLimits {
  /** Counts one request. Throws `too_many_requests`; otherwise returns what is called when its answer is made. */
  enter(principal: string, cost: Cost): () => void;
}

/** Beyond this many, buckets that are full again are dropped; then the oldest. */
const mostBuckets = 20_000;

/** Token buckets as one number each: the time at which the bucket is full again (GCRA). */
export function createRateLimits(now: () => number): RateLimits {
  const fullAt = new Map<string, number>();
  const atWork = new Map<string, number>();

  function take(key: string, cost: Cost): void {
    const { burst, perMinute } = costs[cost];
    const each = 60_000 / perMinute;
    const present = now();
    const next = Math.max(fullAt.get(key) ?? 0, present) + each;
    const wait = next - present - burst * each;
    if (wait > 0) throw tooMany(wait, 'Too many requests of this kind.');
    fullAt.delete(key);
    fullAt.set(key, next);
    if (fullAt.size > mostBuckets) tidy(present);
  }

  function tidy(present: number): void {
    for (const [key, time] of fullAt) if (time <= present) fullAt.delete(key);
    for (const key of fullAt.keys()) {
      if (fullAt.size <= mostBuckets) return;
      fullAt.delete(key);
    }
  }

  return {
    enter(principal, cost) {
      const key = `${cost} ${principal}`;
      const { atOnce } = costs[cost];
      const running = atWork.get(key) ?? 0;
      if (atOnce !== null && running >= atOnce)
        throw tooMany(1000, `No more than ${atOnce} of these are at work at once.`);
      take(key, cost);
      if (atOnce === null) return () => undefined;
      atWork.set(key, running + 1);
      return () => {
        const left = (atWork.get(key) ?? 1) - 1;
        if (left === 0) atWork.delete(key);
        else atWork.set(key, left);
      };
    },
  };
}

function tooMany(milliseconds: number, detail: string): Fault {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  return new Fault('too_many_requests', `${detail} Try again in ${seconds} s.`, { retryAfterSeconds: seconds });
}
