import { describe, expect, it } from 'vitest';
import { parseGoDuration, parseRetryAfter } from './retry-after.ts';

const now = Date.parse('2026-11-25T09:00:00Z');
describe('Retry-After', () => {
  it.each([
    ['120', '', 120_000],
    ['Wed, 25 Nov 2026 09:01:00 GMT', '', 60_000],
    ['Wed, 25 Nov 2026 08:00:00 GMT', '', 0],
    ['1m30s', '', 90_000],
    [undefined, 'retry-after: 441.928µs, allowed: 44000/minute', 1],
    [undefined, 'retry-after: 2s.', 2000],
    ['nonsense', 'nothing', undefined],
    [undefined, '', undefined],
    ['-5', '', undefined],
    ['99999999', '', 86_400_000],
  ])('%s %s is %s ms', (header, body, expected) => {
    expect(parseRetryAfter(header, body, now)).toBe(expected);
  });
  it('reads Go durations', () => {
    expect(parseGoDuration('1h15m30.5s')).toBe(4_530_500);
    expect(parseGoDuration('5')).toBeUndefined();
  });
});
