import { readSources, type SourceFile } from './sources.ts';

/** The borders of ARCHITECTURE.md. A test plants a violation of each. */
export const rules = {
  contract: 'contract imports nothing of ours',
  web: 'web and cli know only the contract',
  testbed: 'the server does not know the test bed',
  platform: 'platform knows no feature',
  root: 'app.ts is the only composition root',
  door: 'a slice is entered through its index.ts',
  dialectBelow: 'a dialect imports slice doors and nothing below',
  dialectOutside: 'nobody imports a dialect but app.ts',
  dialectBeside: 'a dialect does not know another one',
  pure: 'pure files import types and pure files only',
  environment: 'process.env is read in config/ only',
  sql: 'SQL stands in *-store.ts and platform/store only',
  cycles: 'no cycles',
  length: 'no file over 500 lines without a listed reason',
} as const;
type Rule = (typeof rules)[keyof typeof rules];

/** A breach of a border: the file, the rule in words, and what was found. */
export interface Breach {
  readonly file: string;
  readonly rule: Rule;
  readonly found: string;
}

export interface BorderReport {
  readonly files: number;
  readonly breaches: readonly Breach[];
}

const server = 'packages/server/src/';
/** Files that decide and do no I/O: they import types and other pure files only. */
const pureFile =
  /^packages\/server\/src\/(platform\/(registry\/registry-trust|engine\/api-version)|updates\/(reference|tag-family|candidates?|knowledge|history|image-changes|policy|identity|observed|platform-choice)|runs\/(plan|recover|run|steps|gate-terms|spec|spec-[a-z-]+|dependants|losses|compose-labels)|containers\/(container-map|log-level|log-overlap|masking))\.ts$/;
/** Files that may be longer than 500 lines, with the reason. */
const longFiles: Readonly<Record<string, string>> = {};
const longestFile = 500;

/** Reads every TypeScript source below `root` and reports each breach of the borders of ARCHITECTURE.md. */
export function checkBorders(root: string): BorderReport {
  const files = readSources(root);
  const breaches = [...files.flatMap((file) => breachesOf(file)), ...cycles(files)];
  return { files: files.length, breaches };
}

function breachesOf(file: SourceFile): Breach[] {
  const breaches: Breach[] = [];
  const report = (rule: Rule, found: string) => breaches.push({ file: file.path, rule, found });
  const isTest = /\.test\.tsx?$/.test(file.path);
  const mayNotHoldSql = file.path.startsWith(server) && !mayHoldSql(file.path) && !isTest;
  for (const { specifier, typeOnly, target } of file.imports) {
    if (target !== undefined) {
      const rule = importRule(file.path, target, typeOnly, isTest);
      if (rule !== undefined) report(rule, specifier);
    } else if (pureFile.test(file.path) && !typeOnly && !specifier.startsWith('.') && !isPureLibrary(specifier)) {
      report(rules.pure, specifier);
    }
    if (/^(kysely|better-sqlite3)/.test(specifier) && mayNotHoldSql) report(rules.sql, specifier);
  }
  const [sql] = sqlUse.exec(file.code) ?? [];
  if (sql !== undefined && mayNotHoldSql) report(rules.sql, sql);
  if (
    file.path.startsWith(server) &&
    !file.path.startsWith(`${server}config/`) &&
    !isTest &&
    /\bprocess\.env\b/.test(file.code)
  ) {
    report(rules.environment, 'process.env');
  }
  const lines = file.text.split('\n').length;
  if (lines > longestFile && longFiles[file.path] === undefined) report(rules.length, `${lines} lines`);
  return breaches;
}

function isPureLibrary(specifier: string): boolean {
  return specifier === 'zod' || specifier === 'node:path' || specifier === 're2-wasm';
}

/** Statements and the query builder, also without an import: the store that is handed around has both. */
const sqlUse =
  /\bstore\.raw\b|\braw\.(?:exec|pragma|transaction)\(|\.prepare\(|\.(?:selectFrom|insertInto|updateTable|deleteFrom|replaceInto)\(|\bsql`/;

function mayHoldSql(path: string): boolean {
  return path.endsWith('-store.ts') || path.startsWith(`${server}platform/store/`);
}

function importRule(from: string, target: string, typeOnly: boolean, isTest: boolean): Rule | undefined {
  if (from.startsWith('packages/contract/') && !target.startsWith('packages/contract/')) return rules.contract;
  if (
    /^packages\/(web|cli)\//.test(from) &&
    !target.startsWith(`packages/${from.split('/')[1]}/`) &&
    !target.startsWith('packages/contract/')
  ) {
    return rules.web;
  }
  if (!from.startsWith(server)) return undefined;
  if (target.startsWith('packages/testbed/') && !isTest) return rules.testbed;
  if (!target.startsWith(server)) return undefined;
  const fromRoom = roomOf(from);
  const targetRoom = roomOf(target);
  if (fromRoom === 'platform' && targetRoom !== 'platform') return rules.platform;
  if (targetRoom === 'app.ts' || targetRoom === 'main.ts')
    return fromRoom === 'main.ts' || isTest ? undefined : rules.root;
  if (
    fromRoom !== targetRoom &&
    targetRoom !== 'platform' &&
    targetRoom !== 'config' &&
    !target.endsWith('/index.ts') &&
    !isTest
  ) {
    return rules.door;
  }
  if (fromRoom === 'dialects' && targetRoom === 'dialects' && dialectOf(from) !== dialectOf(target))
    return rules.dialectBeside;
  if (from.includes('/dialects/') && targetRoom === 'platform') return rules.dialectBelow;
  if (targetRoom === 'dialects' && fromRoom !== 'app.ts' && fromRoom !== 'dialects') return rules.dialectOutside;
  if (pureFile.test(from) && !typeOnly && !pureFile.test(target)) return rules.pure;
  return undefined;
}

function roomOf(path: string): string {
  return path.slice(server.length).split('/')[0] ?? '';
}

/** `docker` for `…/dialects/docker/containers.ts`. */
function dialectOf(path: string): string {
  return path.slice(server.length).split('/')[1] ?? '';
}

/** Cycles of run-time imports. */
function cycles(files: readonly SourceFile[]): Breach[] {
  const edges = new Map(
    files.map((file) => [
      file.path,
      file.imports.flatMap(({ target, typeOnly }) => (target === undefined || typeOnly ? [] : [target])),
    ]),
  );
  const breaches: Breach[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      breaches.push({ file, rule: rules.cycles, found: [...path.slice(at), file].join(' → ') });
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of edges.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return breaches;
}
