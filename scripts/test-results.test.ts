import { expect, test } from 'vitest';
import { closingLine, countVitest, failuresOf, secondTriesOf, sumCounts } from './test-results.ts';

const report = (passed: number, failed: number, pending = 0) =>
  JSON.stringify({
    success: failed === 0,
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: 0,
  });

test('a good run counts as it says', () => {
  expect(countVitest(report(12, 0, 2), 0)).toEqual({ passed: 12, failed: 0, skipped: 2 });
});

test('failed tests are counted once', () => {
  expect(countVitest(report(12, 3), 1)).toEqual({ passed: 12, failed: 3, skipped: 0 });
});

test('a run that ended badly without a failed test is a failure', () => {
  expect(countVitest(report(12, 0), 1).failed).toBe(1);
});

test('a run without a report or without a test is a failure', () => {
  expect(countVitest(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(countVitest(undefined, 0).failed).toBe(1);
  expect(countVitest(report(0, 0), 0).failed).toBe(1);
});

test('failures carry the name of the test or of the file, and why', () => {
  const testResults = [
    {
      name: '/a.test.ts',
      status: 'failed',
      message: '',
      assertionResults: [
        { status: 'passed', fullName: 'a holds', failureMessages: [] },
        { status: 'passed', fullName: 'a wavers', failureMessages: ['timed out'] },
        { status: 'failed', fullName: 'a breaks', failureMessages: ['expected 1\nto be 2'] },
      ],
    },
    { name: '/b.test.ts', status: 'failed', message: 'does not load', assertionResults: [] },
  ];
  expect(failuresOf(JSON.stringify({ testResults }))).toEqual([
    'a breaks\n    expected 1\n    to be 2',
    '/b.test.ts\n    does not load',
  ]);
  expect(failuresOf(undefined)).toEqual([]);
  expect(secondTriesOf(JSON.stringify({ testResults }))).toEqual(['a wavers\n    timed out']);
});

test('the closing line names skipped tests only when there are some', () => {
  const total = sumCounts([
    { passed: 3, failed: 0, skipped: 0 },
    { passed: 4, failed: 1, skipped: 2 },
  ]);
  expect(closingLine(total)).toBe('7 passed, 1 failed, 2 skipped');
  expect(closingLine({ ...total, skipped: 0 })).toBe('7 passed, 1 failed');
});
