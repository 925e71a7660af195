import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';

/** One source of the repository with its imports. */
export interface SourceFile {
  /** Path from the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without comments that stand on lines of their own. */
  readonly code: string;
  readonly imports: readonly Import[];
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** Path from the root for an import of ours. */
  readonly target: string | undefined;
}

/** Every TypeScript source below `root`, without packages and built output. */
export function readSources(root: string): SourceFile[] {
  const paths: string[] = [];
  for (const top of ['packages', 'tests', 'scripts', 'bench']) collect(join(root, top), paths);
  const known = new Set(paths.map((path) => slashed(relative(root, path))));
  return paths.map((path) => {
    const text = readFileSync(path, 'utf8');
    const from = slashed(relative(root, path));
    const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
    return { path: from, text, code, imports: importsOf(from, code, known) };
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

function importsOf(from: string, code: string, known: ReadonlySet<string>): Import[] {
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
  const [, name, below = 'src/index.ts'] = /^@evenkeel\/([\w-]+)(?:\/(.+))?$/.exec(specifier) ?? [];
  if (name !== undefined) return `packages/${name}/${below}`;
  if (!specifier.startsWith('.')) return undefined;
  const path = slashed(normalize(join(dirname(from), specifier)));
  return known.has(path) ? path : undefined;
}
