import { expect, test } from 'vitest';
import { inspectOf } from './members-for-tests.ts';
import { gateOf, strategyOf } from './wishes.ts';

const labelled = (Labels: Record<string, string>) => inspectOf('web', { Config: { Image: 'nginx:1', Labels } });

test('the labels set strategy and gate', () => {
  const container = labelled({
    'evenkeel.strategy': 'start-first',
    'evenkeel.gate.seconds': '30',
    'evenkeel.gate.tcp': '5432',
    'evenkeel.gate.http': '8080/health=204',
    'evenkeel.gate.timeout': '90',
  });
  expect(strategyOf(container, null)).toBe('start-first');
  expect(gateOf(container, null, 15)).toEqual({
    seconds: 30,
    tcp: { port: 5432 },
    http: { port: 8080, path: '/health', status: 204 },
    timeoutSeconds: 90,
  });
});

test('what was asked for wins over the labels, these over the setting', () => {
  const container = labelled({ 'evenkeel.gate.seconds': '30', 'evenkeel.strategy': 'start-first' });
  expect(gateOf(container, { seconds: 2 }, 15).seconds).toBe(2);
  expect(gateOf(labelled({}), null, 15)).toEqual({ seconds: 15 });
  expect(strategyOf(container, 'recreate')).toBe('recreate');
});

test('a label that makes no sense is left out', () => {
  const container = labelled({
    'evenkeel.gate.seconds': 'soon',
    'evenkeel.gate.tcp': '99999',
    'evenkeel.gate.http': 'health',
    'evenkeel.strategy': 'hope',
  });
  expect(gateOf(container, null, 15)).toEqual({ seconds: 15 });
  expect(strategyOf(container, null)).toBe('recreate');
});
