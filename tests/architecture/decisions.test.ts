import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Names of all packages that a `package.json` of ours asks for, without our own. */
function readDependencies(): string[] {
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name));
  const names = ['.', ...packages].flatMap((directory) => {
    const manifest = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8')) as Record<string, unknown>;
    return ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap((field) =>
      Object.keys((manifest[field] as Record<string, string> | undefined) ?? {}),
    );
  });
  return [...new Set(names)].filter((name) => !name.startsWith('@evenkeel/')).sort();
}

function readDecisions(): string[] {
  const directory = join(root, 'docs/decisions');
  return readdirSync(directory)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => readFileSync(join(directory, name), 'utf8'));
}

/** A decision speaks for a package by naming it as ``**`name`**``. */
function namedPackages(decisions: readonly string[]): Set<string> {
  return new Set(
    decisions.flatMap((text) => [...text.matchAll(/\*\*`([^`]+)`\*\*/g)].flatMap(([, name]) => name ?? [])),
  );
}

function missingFrom(decisions: readonly string[], dependencies: readonly string[]): string[] {
  const named = namedPackages(decisions);
  return dependencies.filter((name) => !named.has(name));
}

test('every dependency is explained in a decision', () => {
  const dependencies = readDependencies();
  expect(dependencies.length).toBeGreaterThan(0);
  expect(missingFrom(readDecisions(), dependencies)).toEqual([]);
});

test('a dependency that no decision explains is found', () => {
  expect(missingFrom(readDecisions(), ['left-pad', 'zod'])).toEqual(['left-pad']);
  expect(missingFrom(['Named in passing: `left-pad`.'], ['left-pad'])).toEqual(['left-pad']);
});

test('no decision explains a package that is gone', () => {
  const dependencies = new Set(readDependencies());
  expect([...namedPackages(readDecisions())].filter((name) => !dependencies.has(name))).toEqual([]);
});

test('the index of decisions lists every page', () => {
  const directory = join(root, 'docs/decisions');
  const index = readFileSync(join(directory, 'README.md'), 'utf8');
  const pages = readdirSync(directory).filter((name) => name.endsWith('.md') && name !== 'README.md');
  expect(pages.filter((name) => !index.includes(`(${name})`))).toEqual([]);
});
