import { expect, test } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatDuration,
  formatMilliseconds,
  safeLink,
  shortDigest,
  shortenDigests,
  splitImage,
} from './format.ts';

test('durations show their largest whole unit', () => {
  expect([0, 59_999, 60_000, 7_200_000, 47 * 3_600_000, 72 * 3_600_000].map(formatDuration)).toEqual([
    '0 s',
    '59 s',
    '1 min',
    '2 h',
    '47 h',
    '3 d',
  ]);
});

test('measured times keep one digit where it says something', () => {
  expect([12.4, 1_234, 12_345].map((value) => formatMilliseconds(value, 'en'))).toEqual(['12 ms', '1.2 s', '12 s']);
  expect(formatMilliseconds(1_234, 'de')).toBe('1,2 s');
});

test('ages follow the locale', () => {
  const now = Date.parse('2026-01-10T00:00:00.000Z');
  expect(formatAgo('2026-01-07T00:00:00.000Z', now, 'en')).toBe('3 days ago');
  expect(formatAgo('2026-01-09T23:59:30.000Z', now, 'de')).toBe('vor 30 Sek.');
});

test('a moment that seems to come is now: the clocks differ', () => {
  const now = Date.parse('2026-01-10T00:00:00.000Z');
  expect(formatAgo('2026-01-10T00:00:05.000Z', now, 'en')).toBe('now');
});

test('digests within a text are cut, other text is not', () => {
  expect(shortenDigests(`pull a@sha256:${'0123456789abcdef'.repeat(4)} from b`)).toBe(
    'pull a@sha256:0123456789ab… from b',
  );
  expect(shortenDigests('sha256:0123')).toBe('sha256:0123');
});

test('sizes never show four digits', () => {
  expect([0, 999, 1_000, 12_345_678, 999_950].map((value) => formatBytes(value, 'en'))).toEqual([
    '0 B',
    '999 B',
    '1 kB',
    '12 MB',
    '1 MB',
  ]);
});

test('a digest is cut, an image is split at its last colon', () => {
  expect(shortDigest('sha256:0123456789abcdef')).toBe('0123456789ab');
  expect(splitImage('localhost:5000/a/b:1.2@sha256:ff')).toEqual({
    name: 'localhost:5000/a/b',
    tag: '1.2',
    digest: 'sha256:ff',
  });
  expect(splitImage('localhost:5000/a')).toEqual({ name: 'localhost:5000/a', tag: null, digest: null });
  expect(splitImage('sha256:abcd')).toEqual({ name: 'sha256:abcd', tag: null, digest: null });
});

test('only http and https become links', () => {
  expect(safeLink('https://example.org/x')).toBe('https://example.org/x');
  for (const bad of ['javascript:alert(1)', 'data:text/html,x', ' https://x', 'https://', null, '//x', 'HTTPS//x'])
    expect(safeLink(bad)).toBeUndefined();
});
