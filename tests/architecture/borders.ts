import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';

/** A breach of a border: the file, the rule in words, and what was found. */
export interface Breach {
  readonly file: string;
  readonly rule: string;
  readonly found: string;
}

export interface SourceFile {
  /** Path from the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** Path from the root for an import of ours. */
  readonly target: string | undefined;
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

export function readSources(root: string): SourceFile[] {
  const paths: string[] = [];
  for (const top of ['packages', 'tests', 'scripts', 'bench']) collect(join(root, top), paths);
  const known = new Set(paths.map((path) => slashed(relative(root, path))));
  return paths.map((path) => {
    const text = readFileSync(path, 'utf8');
    const from = slashed(relative(root, path));
    return { path: from, text, imports: importsOf(from, text, known) };
  });
}

function collect(folder: string, paths: string[]): void {
  let entries: ReturnType<typeof readEntries>;
  try {
    entries = readEntries(folder);
  } catch {
    return;
  }
  for (const entry of entries) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) collect(path, paths);
    else if (/\.tsx?$/.test(entry.name)) paths.push(path);
  }
}

function readEntries(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}

function importsOf(from: string, text: string, known: ReadonlySet<string>): Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  const pattern = /\b(?:import|export)\s+(type\s+)?(?:[\w*{][^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;
  for (const match of code.matchAll(pattern)) {
    const specifier = match[2] ?? match[3] ?? '';
    const typeOnly = match[1] !== undefined || /^(?:import|export)\s*\{(\s*type\s+\w+\s*,?)+\}\s/.test(match[0]);
    found.push({ specifier, typeOnly, target: targetOf(from, specifier, known) });
  }
  return found;
}

function targetOf(from: string, specifier: string, known: ReadonlySet<string>): string | undefined {
  const workspace = /^@evenkeel\/(\w+)$/.exec(specifier);
  if (workspace) return `packages/${workspace[1]}/src/index.ts`;
  if (!specifier.startsWith('.')) return undefined;
  const path = slashed(normalize(join(dirname(from), specifier)));
  return known.has(path) ? path : undefined;
}

function breachesOf(file: SourceFile): Breach[] {
  const breaches: Breach[] = [];
  const report = (rule: string, found: string) => breaches.push({ file: file.path, rule, found });
  const isTest = /\.test\.tsx?$/.test(file.path);
  for (const { specifier, typeOnly, target } of file.imports) {
    if (target !== undefined) {
      const rule = importRule(file.path, target, typeOnly, isTest);
      if (rule !== undefined) report(rule, specifier);
    } else if (pureFile.test(file.path) && !typeOnly && !specifier.startsWith('.') && !isPureLibrary(specifier)) {
      report('pure files import types and pure files only', specifier);
    }
    if (
      /^(kysely|better-sqlite3)/.test(specifier) &&
      file.path.startsWith(server) &&
      !mayHoldSql(file.path) &&
      !isTest
    ) {
      report('SQL stands in *-store.ts and platform/store only', specifier);
    }
  }
  if (
    file.path.startsWith(server) &&
    !file.path.startsWith(`${server}config/`) &&
    !isTest &&
    /\bprocess\.env\b/.test(file.text)
  ) {
    report('process.env is read in config/ only', 'process.env');
  }
  const lines = file.text.split('\n').length;
  if (lines > longestFile && longFiles[file.path] === undefined)
    report(`no file over ${longestFile} lines without a listed reason`, `${lines} lines`);
  return breaches;
}

function isPureLibrary(specifier: string): boolean {
  return specifier === 'zod' || specifier === 'node:path' || specifier === 're2-wasm';
}

function mayHoldSql(path: string): boolean {
  return path.endsWith('-store.ts') || path.startsWith(`${server}platform/store/`);
}

function importRule(from: string, target: string, typeOnly: boolean, isTest: boolean): string | undefined {
  if (from.startsWith('packages/contract/') && !target.startsWith('packages/contract/'))
    return 'contract imports nothing of ours';
  if (
    /^packages\/(web|cli)\//.test(from) &&
    !target.startsWith(`packages/${from.split('/')[1]}/`) &&
    !target.startsWith('packages/contract/')
  ) {
    return 'web and cli know only the contract';
  }
  if (!from.startsWith(server)) return undefined;
  if (target.startsWith('packages/testbed/') && !isTest) return 'the server does not know the test bed';
  if (!target.startsWith(server)) return undefined;
  const fromRoom = roomOf(from);
  const targetRoom = roomOf(target);
  if (fromRoom === 'platform' && targetRoom !== 'platform') return 'platform knows no feature';
  if (targetRoom === 'app.ts' || targetRoom === 'main.ts')
    return fromRoom === 'main.ts' || isTest ? undefined : 'app.ts is the only composition root';
  if (
    fromRoom !== targetRoom &&
    targetRoom !== 'platform' &&
    targetRoom !== 'config' &&
    !target.endsWith('/index.ts') &&
    !isTest
  ) {
    return 'a slice is entered through its index.ts';
  }
  if (from.includes('/dialects/') && targetRoom === 'platform')
    return 'a dialect imports slice doors and nothing below';
  if (targetRoom === 'dialects' && fromRoom !== 'app.ts' && fromRoom !== 'dialects')
    return 'nobody imports a dialect but app.ts';
  if (pureFile.test(from) && !typeOnly && !pureFile.test(target)) return 'pure files import types and pure files only';
  return undefined;
}

function roomOf(path: string): string {
  return path.slice(server.length).split('/')[0] ?? '';
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
      breaches.push({ file, rule: 'no cycles', found: [...path.slice(at), file].join(' → ') });
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
