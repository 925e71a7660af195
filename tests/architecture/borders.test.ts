import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkBorders, rules } from './borders.ts';

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
const door = 'export const x = 1;';
/** At least one violation of each rule: what it is, and the files that commit it. */
const violations: Readonly<Record<keyof typeof rules, Readonly<Record<string, Readonly<Record<string, string>>>>>> = {
  contract: {
    'a contract that imports the server': {
      'packages/contract/src/a.ts': "import { x } from '../../server/src/b.ts';",
      [`${s}/b.ts`]: door,
    },
  },
  web: {
    'a web application that imports the server': {
      'packages/web/src/a.tsx': "import { x } from '../../server/src/b.ts';",
      [`${s}/b.ts`]: door,
    },
    'a web application that imports the server by its name': {
      'packages/web/src/a.tsx': "import { x } from '@evenkeel/server/src/b.ts';",
      [`${s}/b.ts`]: door,
    },
  },
  testbed: {
    'a server that uses the test bed': { [`${s}/hosts/a.ts`]: "import { waitFor } from '@evenkeel/testbed';" },
  },
  platform: {
    'a platform that knows a feature': {
      [`${s}/platform/http/a.ts`]: "import { x } from '../../hosts/index.ts';",
      [`${s}/hosts/index.ts`]: door,
    },
  },
  root: {
    'a slice that builds the application': {
      [`${s}/hosts/a.ts`]: "import { x } from '../app.ts';",
      [`${s}/app.ts`]: door,
    },
  },
  door: {
    'a slice that reaches past a door': {
      [`${s}/runs/plan-it.ts`]: "import { x } from '../hosts/watch.ts';",
      [`${s}/hosts/watch.ts`]: door,
    },
    'a slice that reaches past a door by the name of the package': {
      [`${s}/runs/plan-it.ts`]: "import { x } from '@evenkeel/server/src/hosts/watch.ts';",
      [`${s}/hosts/watch.ts`]: door,
    },
  },
  dialectBelow: {
    'a dialect that talks to an engine itself': {
      [`${s}/dialects/docker/a.ts`]: "import { x } from '../../platform/engine/engine.ts';",
      [`${s}/platform/engine/engine.ts`]: door,
    },
  },
  dialectOutside: {
    'a slice that knows a dialect': {
      [`${s}/runs/a.ts`]: "import { x } from '../dialects/docker/index.ts';",
      [`${s}/dialects/docker/index.ts`]: door,
    },
  },
  dialectBeside: {
    'a dialect that leans on another one': {
      [`${s}/dialects/docker/a.ts`]: "import { x } from '../native/index.ts';",
      [`${s}/dialects/native/index.ts`]: door,
    },
  },
  pure: {
    'a pure file with a run-time import': { [`${s}/runs/plan.ts`]: "import { readFileSync } from 'node:fs';" },
  },
  environment: {
    'an environment read outside config': { [`${s}/hosts/a.ts`]: "export const a = process.env['A'];" },
  },
  sql: {
    'a query builder outside a store': { [`${s}/hosts/a.ts`]: "import { sql } from 'kysely';" },
    'a statement outside a store': {
      [`${s}/hosts/a.ts`]: "export const count = (store: Store) => store.raw.prepare('SELECT 1').get();",
    },
    'a statement on a database handed in': {
      [`${s}/hosts/a.ts`]: "export const count = (given: Database) => given.prepare('SELECT 1').get();",
    },
    'a query outside a store': {
      [`${s}/hosts/a.ts`]: "export const all = (store: Store) => store.db.selectFrom('hosts').selectAll().execute();",
    },
  },
  cycles: {
    'a cycle': {
      [`${s}/hosts/a.ts`]: "import { b } from './b.ts';\nexport const a = b;",
      [`${s}/hosts/b.ts`]: "import { a } from './a.ts';\nexport const b = a;",
    },
  },
  length: { 'a very long file': { [`${s}/hosts/a.ts`]: 'export {};\n'.repeat(501) } },
};

const planted = Object.entries(violations).flatMap(([rule, plants]) =>
  Object.entries(plants).map(([name, files]) => ({ name, files, rule: rules[rule as keyof typeof rules] })),
);

test.each(planted)('$name is reported, and nothing else', ({ files, rule }) => {
  const report = checkBorders(plant(files));
  expect([...new Set(report.breaches.map((breach) => breach.rule))]).toEqual([rule]);
});

test('a violation of every rule is planted', () => {
  expect(new Set(planted.map(({ rule }) => rule))).toEqual(new Set(Object.values(rules)));
  expect(Object.values(rules)).toHaveLength(14);
});

test('a store may hold SQL, and a comment may name it', () => {
  const root = plant({
    [`${s}/hosts/hosts-store.ts`]: "export const count = (store: Store) => store.raw.prepare('SELECT 1').get();",
    [`${s}/hosts/a.ts`]: '/** Faster than `store.raw.prepare(…)`. */\nexport const a = 1;',
  });
  expect(checkBorders(root).breaches).toEqual([]);
});

test('a type import across a pure border is allowed', () => {
  const root = plant({ [`${s}/runs/plan.ts`]: "import type { Stats } from 'node:fs';\nexport type A = Stats;" });
  expect(checkBorders(root).breaches).toEqual([]);
});
