import { expect, test } from 'vitest';
import { describeGate, gateTerms, hasHealthcheck } from './gate-terms.ts';

const seconds = (count: number) => count * 1_000_000_000;

test('a health check has start period, retries × (interval + timeout) and a margin', () => {
  const check = {
    Test: ['CMD', 'x'],
    Interval: seconds(10),
    Timeout: seconds(2),
    StartPeriod: seconds(20),
    Retries: 4,
  };
  expect(gateTerms({}, check)).toMatchObject({ kind: 'health', healthSeconds: 20 + 4 * 12 + 5 });
});

test('what the image leaves at zero is what the engine takes: 30 s, 30 s, 3 times', () => {
  expect(gateTerms({}, { Test: ['CMD-SHELL', 'x'], Interval: 0 }).healthSeconds).toBe(3 * 60 + 5);
});

test('a wished time-out wins over the computed one', () => {
  expect(gateTerms({ timeoutSeconds: 7 }, { Test: ['CMD', 'x'] })).toMatchObject({ healthSeconds: 7, probeSeconds: 7 });
});

test.each([[undefined], [null], [{}], [{ Test: [] }], [{ Test: ['NONE'] }]])('%j is no health check', (check) => {
  expect(hasHealthcheck(check)).toBe(false);
  expect(gateTerms({ seconds: 3 }, check)).toMatchObject({ kind: 'running', seconds: 3 });
});

test('the gate reads as a sentence', () => {
  const gate = { seconds: 5, http: { port: 80, path: '/health' }, tcp: { port: 81 } };
  expect(describeGate(gate, undefined)).toBe(
    'has run for 5 s without a restart and answers HTTP on port 80/health and accepts TCP on port 81',
  );
});

test('one whose end is waited for need not run on, and has its own time', () => {
  expect(gateTerms({ seconds: 3, untilDone: true }, { Test: ['CMD', 'x'] })).toMatchObject({
    kind: 'end',
    seconds: 600,
  });
  expect(gateTerms({ timeoutSeconds: 7, untilDone: true }, undefined)).toMatchObject({ kind: 'end', seconds: 7 });
  expect(describeGate({ seconds: 3, untilDone: true }, undefined)).toBe('has ended with code 0 (within 600 s)');
});
