import { expect, test } from 'vitest';
import { boundedTail, withOldLog } from './old-log.ts';

test('the last lines are kept, in number and in bytes', () => {
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
  const kept = boundedTail(lines).split('\n');
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([100, 'line 200', 'line 299']);
  const long = boundedTail(['first', 'x'.repeat(100_000), 'last']).split('\n');
  expect(long).toEqual(['last']);
  expect(Buffer.byteLength(boundedTail(['é'.repeat(100_000)]))).toBeLessThanOrEqual(16 * 1024);
});

test('each of several containers has its part, once', () => {
  expect(withOldLog(null, 'web', false, 'a')).toBe('a');
  expect(withOldLog('a', 'web', false, 'a')).toBe('a');
  const both = withOldLog(withOldLog(null, 'web', true, 'a'), 'side', true, 'b');
  expect(both).toBe('web:\na\nside:\nb');
  expect(withOldLog(both, 'side', true, 'b')).toBe(both);
});
