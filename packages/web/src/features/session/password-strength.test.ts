import { expect, test } from 'vitest';
import { passwordStrength } from './password-strength.ts';

test('repetition is weak however long it is', () => {
  expect(passwordStrength('aaaaaaaaaaaaaaaaaaaa')).toBe(1);
});

test('length beats signs', () => {
  expect(passwordStrength('four unrelated words here')).toBe(4);
  expect(passwordStrength('Tr0ub4d&')).toBeLessThan(4);
});

test('less than eight characters never gets beyond weak', () => {
  expect(passwordStrength('aB3$xY9')).toBe(1);
  expect(passwordStrength('')).toBe(0);
});
