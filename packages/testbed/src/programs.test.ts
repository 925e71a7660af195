import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findProgram, packageOfProgram, requireProgram } from './programs.ts';
import { TestbedUnavailable } from './unavailable.ts';

const script = join(import.meta.dirname, '../../../scripts/install-packages.sh');

test('the install script and the test bed name the same package for each program', () => {
  const cases = [...readFileSync(script, 'utf8').matchAll(/^ {4}([\w-]+)\) echo ([\w.-]+) ;;$/gm)];
  expect(Object.fromEntries(cases.map(([, program, name]) => [program, name]))).toEqual(packageOfProgram);
});

test('the install script does nothing and says nothing when the programs are there', () => {
  expect(execFileSync('sh', [script, 'ip'], { encoding: 'utf8' })).toBe('');
});

test('a program that is there is found even when the PATH is empty', () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '';
  try {
    expect(findProgram('ip')).toMatch(/^\/.*\/ip$/);
  } finally {
    process.env['PATH'] = path;
  }
});

test('a missing program is named with its package', () => {
  expect(() => requireProgram('no-such-program' as 'ip')).toThrow(TestbedUnavailable);
  expect(() => requireProgram('no-such-program' as 'ip')).toThrow('no-such-program');
});
