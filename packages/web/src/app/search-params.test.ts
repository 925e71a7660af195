import { expect, test } from 'vitest';
import { members, oneOf, text, toggled } from './search-params.ts';

test('what is not as expected counts as absent', () => {
  expect([text(''), text(null), text({ a: 1 }), text(12), text('x'.repeat(300))?.length]).toEqual([
    undefined,
    undefined,
    undefined,
    '12',
    200,
  ]);
  expect([oneOf('logs', ['logs', 'history']), oneOf('<script>', ['logs']), oneOf(1, ['1'])]).toEqual([
    'logs',
    undefined,
    '1',
  ]);
});

test('a member of a list is switched on and off, and an empty list leaves the address', () => {
  expect(toggled(undefined, 'running')).toBe('running');
  expect(toggled('running', 'stopped')).toBe('running,stopped');
  expect(toggled('running,stopped', 'running')).toBe('stopped');
  expect(toggled('running', 'running')).toBeUndefined();
  expect([...members('a,b')]).toEqual(['a', 'b']);
});
