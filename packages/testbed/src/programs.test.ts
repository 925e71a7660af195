import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
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

describe('the install script, when something is missing', () => {
  const directory = mkdtempSync(join(tmpdir(), 'install-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Runs the script where only the given commands and those of the system's sbin directories are found. */
  function install(commands: Record<string, string>) {
    for (const [name, output] of Object.entries(commands)) {
      writeFileSync(join(directory, name), `#!/bin/sh\necho ${output}\n`, { mode: 0o755 });
    }
    return spawnSync('/bin/sh', [script, 'chromium'], { env: { PATH: directory }, encoding: 'utf8' });
  }

  test('says that this is not Debian, with 3', () => {
    expect(install({})).toMatchObject({
      status: 3,
      stderr: 'This is not Debian, so nothing is installed. Missing programs: chromium.\n',
    });
  });

  test('names the command for root when the user is not root, with 3', () => {
    expect(install({ id: '1000', 'apt-get': 'never called' })).toMatchObject({
      status: 3,
      stdout: '',
      stderr: existsSync('/etc/debian_version')
        ? 'Not root, so nothing is installed. Missing programs: chromium. As root run: apt-get install chromium\n'
        : 'This is not Debian, so nothing is installed. Missing programs: chromium.\n',
    });
  });

  test('refuses a program that it does not know', () => {
    expect(spawnSync('sh', [script, 'nix'], { encoding: 'utf8' })).toMatchObject({
      status: 2,
      stderr: 'install-packages.sh: no package is known for the program "nix".\n',
    });
  });
});
