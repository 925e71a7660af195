import { describe, expect, test } from 'vitest';
import { isNothing, sameMap, sameSet, sameValue } from './spec-equality.ts';

describe('equality of settings', () => {
  test.each([null, undefined, '', 0, false, [], {}, { Type: '', Config: {} }])('%j is nothing', (value) => {
    expect(isNothing(value)).toBe(true);
    expect(sameValue(value, null)).toBe(true);
  });

  test.each([1, 'x', true, [''], { Type: 'x' }, { '80/tcp': {} }, { '/t': '' }, { '80/tcp': null }])(
    '%j is something',
    (value) => {
      expect(isNothing(value)).toBe(false);
      expect(sameValue(value, {})).toBe(false);
      expect(sameValue(value, structuredClone(value))).toBe(true);
    },
  );

  test('fields that are nothing count as absent, keys of the user do not', () => {
    expect(sameValue({ Name: 'no', MaximumRetryCount: 0 }, { Name: 'no' })).toBe(true);
    expect(sameValue({ '/a': '', '/b': 'x' }, { '/b': 'x' })).toBe(false);
    expect(sameMap({ FOO: '' }, {})).toBe(false);
    expect(sameMap(undefined, {})).toBe(true);
  });

  test('order counts in lists and not in sets', () => {
    expect(sameValue(['a', 'b'], ['b', 'a'])).toBe(false);
    expect(sameSet(['a', 'b', 'a'], ['b', 'a'])).toBe(true);
    expect(sameValue([''], [])).toBe(false);
  });
});
