import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCodes, routes, Settings, strategies, updateLevels, updateStates } from '@evenkeel/contract';
import { expect, test } from 'vitest';
import { readSources } from './sources.ts';

const root = join(import.meta.dirname, '../..');

/** All documents of the repository, as paths from its root. */
function documents(): string[] {
  const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) =>
    join('docs', path),
  );
  return [...readdirSync(root), ...below].filter((path) => path.endsWith('.md'));
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

test('every link between documents leads to a file', () => {
  const paths = documents();
  expect(paths.length).toBeGreaterThan(10);
  const broken = paths.flatMap((path) =>
    [...read(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => target ?? '')
      .filter((target) => !/^https?:/.test(target) && !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test('every file and folder that ARCHITECTURE.md names is there', () => {
  const server = 'packages/server/src';
  const named = [...read('ARCHITECTURE.md').matchAll(/`([\w./-]+(?:\/|\.ts))`/g)].flatMap(([, path]) => path ?? []);
  expect(named.length).toBeGreaterThan(10);
  const places = ['', server, `${server}/updates`, `${server}/runs`];
  expect(named.filter((path) => !places.some((place) => existsSync(join(root, place, path))))).toEqual([]);
});

test('docs/api.md lists exactly the error codes of the contract', () => {
  const rows = read('docs/api.md')
    .split('\n')
    .filter((line) => /^\| `\w+`.* \| \d{3} \|/.test(line));
  const listed = rows.flatMap((row) => {
    const status = Number(/\| (\d{3}) \|/.exec(row)?.[1]);
    return [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => `${code} ${status}`);
  });
  expect(listed.sort()).toEqual(
    Object.entries(errorCodes)
      .map(([code, { status }]) => `${code} ${status}`)
      .sort(),
  );
});

test('every route that docs/api.md shows is in the contract', () => {
  const known = Object.values(routes).map(({ path }) => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`));
  const shown = [...read('docs/api.md').matchAll(/(?:\$base|`(?:[A-Z]+ )?)(\/api\/v1\/[\w$/:-]+)/g)]
    .map(([, path]) => path ?? '')
    .filter((path) => path !== '/api/v1/stream');
  expect(shown.length).toBeGreaterThan(8);
  expect(shown.filter((path) => !known.some((route) => route.test(path)))).toEqual([]);
});

test('docs/updates.md names every label that the server reads', () => {
  const pattern = /'((?:evenkeel|wud|diun|com\.centurylinklabs\.watchtower)\.[a-z_.-]+)'/g;
  const sources = readSources(root).filter(
    ({ path }) => /^packages\/server\/src\/(updates|runs)\//.test(path) && !/(\.test|-samples)\.ts$/.test(path),
  );
  const labels = new Set(
    sources.flatMap(({ text }) => [...text.matchAll(pattern)].flatMap(([, label]) => label ?? [])),
  );
  expect(labels.size).toBeGreaterThan(10);
  const text = read('docs/updates.md');
  expect([...labels].filter((label) => !text.includes(`\`${label}\``))).toEqual([]);
});

test('docs/updates.md names every state, level, strategy and setting of the contract', () => {
  const words = [...updateStates, ...updateLevels, ...strategies, ...Object.keys(Settings.shape)];
  const text = read('docs/updates.md');
  expect(words.filter((word) => !text.includes(`\`${word}\``))).toEqual([]);
});
