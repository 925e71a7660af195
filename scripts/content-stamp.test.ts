import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashSources, readStamp, writeStamp } from './content-stamp.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stamp-'));
  for (const directory of ['src/deep', 'src/dist', 'src/node_modules'])
    mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, 'src/deep/a.ts'), 'one');
});
afterEach(() => rmSync(root, { recursive: true }));
const hash = () => hashSources(root, ['src', 'absent']);

test('a changed, added or renamed source changes the hash', () => {
  const seen = new Set([hash()]);
  writeFileSync(join(root, 'src/deep/a.ts'), 'two');
  seen.add(hash());
  writeFileSync(join(root, 'src/b.ts'), '');
  seen.add(hash());
  rmSync(join(root, 'src/b.ts'));
  writeFileSync(join(root, 'src/c.ts'), '');
  seen.add(hash());
  expect(seen.size).toBe(4);
});

test('times, tests, built output and packages do not', () => {
  const before = hash();
  utimesSync(join(root, 'src/deep/a.ts'), 1, 1);
  writeFileSync(join(root, 'src/deep/a.test.ts'), 'test');
  writeFileSync(join(root, 'src/dist/a.js'), 'built');
  writeFileSync(join(root, 'src/node_modules/x.js'), 'package');
  expect(hash()).toBe(before);
});

test('a stamp is read back, and absent before', () => {
  const file = join(root, 'out/.sources');
  expect(readStamp(file)).toBeUndefined();
  writeStamp(file, 'abc');
  expect(readStamp(file)).toBe('abc');
});
