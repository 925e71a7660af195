/**
 * What a request costs the server or others, and how much of it one actor may ask for: `burst` at once, refilled at `perMinute`.
 * Where nobody is signed in, all of one network count together. Beyond it the answer is 429 with when to come again.
 * `atOnce` bounds how many are at work at the same time.
 */
export const costs = {
  /** Answered from memory. */
  read: { burst: 2000, perMinute: 6000, atOnce: null },
  /** Changes something, or asks an engine or registry. */
  change: { burst: 1000, perMinute: 1200, atOnce: null },
  /** Starts work that goes on after the answer. */
  work: { burst: 120, perMinute: 240, atOnce: null },
  /** Reads through output of containers. */
  search: { burst: 200, perMinute: 400, atOnce: 4 },
  /** Sends credentials to another server and tells how that went: not to be used for trying. */
  probe: { burst: 5, perMinute: 5, atOnce: 2 },
} as const satisfies Record<string, { burst: number; perMinute: number; atOnce: number | null }>;

export type Cost = keyof typeof costs;
