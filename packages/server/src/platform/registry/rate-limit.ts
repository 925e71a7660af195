/** What a registry says is left of its limit (draft-ietf-httpapi-ratelimit-headers, as Docker Hub writes it: `97;w=21600`). */
export interface RateLimit {
  readonly remaining: number;
  /** What stays for the pulls of updates: looking for updates stops here. */
  readonly reserve: number;
  /** Epoch milliseconds; afterwards it says nothing any more. */
  readonly until: number;
}

const hour = 3_600_000;
const longestWindow = 24 * hour;
const reserveShare = 0.2;
const reserveUnknown = 5;

/** Undefined where the answer says nothing. */
export function readRateLimit(header: (name: string) => string | undefined, now: number): RateLimit | undefined {
  const said = header('ratelimit-remaining') ?? '';
  const remaining = /^\s*(\d{1,12})\b/.exec(said)?.[1];
  if (remaining === undefined) return undefined;
  const limit = /^\s*(\d{1,12})\b/.exec(header('ratelimit-limit') ?? '')?.[1];
  const window = /;\s*w=(\d{1,9})\b/.exec(said)?.[1];
  const milliseconds = window === undefined ? hour : Math.min(longestWindow, Number(window) * 1000);
  const reserve = limit === undefined ? reserveUnknown : Math.ceil(Number(limit) * reserveShare);
  return { remaining: Number(remaining), reserve, until: now + milliseconds };
}
