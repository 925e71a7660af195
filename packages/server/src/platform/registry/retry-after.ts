const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const longest = 24 * 3_600_000;

/**
 * How long to wait, in milliseconds: seconds or an HTTP date (RFC 9110, section 10.2.3), a Go duration (`1m30.5s`), or
 * GHCR's `retry-after: 441.928µs` inside the body. Undefined where none is given; a day at most.
 */
export function parseRetryAfter(header: string | undefined, body: string, now: number): number | undefined {
  const fromHeader = header === undefined ? undefined : parseWait(header.trim(), now);
  if (fromHeader !== undefined) return fromHeader;
  const inBody = /retry-after:\s*([0-9a-zµμ.]+)/i.exec(body)?.[1];
  return inBody === undefined ? undefined : parseWait(inBody.replace(/\.$/, ''), now);
}

function parseWait(text: string, now: number): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return bounded(Number(text) * 1000);
  const duration = parseGoDuration(text);
  if (duration !== undefined) return bounded(duration);
  const date = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : bounded(date - now);
}

/** `1h15m30.918273645s` in milliseconds. */
export function parseGoDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g)) {
    sum += Number(amount) * (units[unit ?? ''] ?? 0);
  }
  return sum;
}

function bounded(milliseconds: number): number {
  return Math.min(longest, Math.max(0, Math.ceil(milliseconds)));
}
