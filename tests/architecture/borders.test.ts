import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkBorders } from './borders.ts';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function plant(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'evenkeel-borders-'));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test('the repository keeps its borders, and the check has read it', () => {
  const report = checkBorders(join(import.meta.dirname, '../..'));
  expect(report.breaches).toEqual([]);
  expect(report.files).toBeGreaterThan(80);
});

const s = 'packages/server/src';
const violations: readonly [string, Readonly<Record<string, string>>, string][] = [
  [
    'a slice that reaches past a door',
    {
      [`${s}/runs/plan-it.ts`]: "import { x } from '../hosts/watch.ts';",
      [`${s}/hosts/watch.ts`]: 'export const x = 1;',
    },
    'a slice is entered through its index.ts',
  ],
  [
    'a platform that knows a feature',
    {
      [`${s}/platform/http/a.ts`]: "import { x } from '../../hosts/index.ts';",
      [`${s}/hosts/index.ts`]: 'export const x = 1;',
    },
    'platform knows no feature',
  ],
  [
    'a contract that imports the server',
    {
      'packages/contract/src/a.ts': "import { x } from '../../server/src/b.ts';",
      [`${s}/b.ts`]: 'export const x = 1;',
    },
    'contract imports nothing of ours',
  ],
  [
    'a web application that imports the server',
    { 'packages/web/src/a.tsx': "import { x } from '../../server/src/b.ts';", [`${s}/b.ts`]: 'export const x = 1;' },
    'web and cli know only the contract',
  ],
  [
    'an environment read outside config',
    { [`${s}/hosts/a.ts`]: "export const a = process.env['A'];" },
    'process.env is read in config/ only',
  ],
  [
    'SQL outside a store',
    { [`${s}/hosts/a.ts`]: "import { sql } from 'kysely';" },
    'SQL stands in *-store.ts and platform/store only',
  ],
  [
    'a pure file with a run-time import',
    { [`${s}/runs/plan.ts`]: "import { readFileSync } from 'node:fs';" },
    'pure files import types and pure files only',
  ],
  [
    'a cycle',
    {
      [`${s}/hosts/a.ts`]: "import { b } from './b.ts';\nexport const a = b;",
      [`${s}/hosts/b.ts`]: "import { a } from './a.ts';\nexport const b = a;",
    },
    'no cycles',
  ],
  [
    'a very long file',
    { [`${s}/hosts/a.ts`]: 'export {};\n'.repeat(501) },
    'no file over 500 lines without a listed reason',
  ],
];

test.each(violations)('%s is reported', (_name, files, rule) => {
  const report = checkBorders(plant(files));
  expect(report.breaches.map((breach) => breach.rule)).toContain(rule);
});

test('a type import across a pure border is allowed', () => {
  const root = plant({ [`${s}/runs/plan.ts`]: "import type { Stats } from 'node:fs';\nexport type A = Stats;" });
  expect(checkBorders(root).breaches).toEqual([]);
});
