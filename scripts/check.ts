import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkBorders } from '../tests/architecture/borders.ts';

/** The one gate before a commit: types, lint and format, borders, dead code, generated files. */
const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');

const parts: readonly (readonly [string, () => boolean])[] = [
  ['types', () => run('tsc', ['-p', 'tsconfig.json', '--noEmit'])],
  ['lint and format', () => run('biome', ['check', '--error-on-warnings', '.'])],
  ['borders', borders],
  ['dead code', () => run('knip', ['--no-progress'])],
  ['generated files', () => runNode('scripts/generate-docs.ts', ['--check'])],
];

function run(command: string, options: readonly string[]): boolean {
  return spawnSync(join(bin, command), options, { cwd: root, stdio: 'inherit' }).status === 0;
}

function runNode(script: string, options: readonly string[]): boolean {
  if (!existsSync(join(root, script))) {
    console.error(`${script} is missing`);
    return false;
  }
  return spawnSync(process.execPath, [script, ...options], { cwd: root, stdio: 'inherit' }).status === 0;
}

function borders(): boolean {
  const report = checkBorders(root);
  for (const breach of report.breaches) console.error(`${breach.file}: ${breach.rule}: ${breach.found}`);
  if (report.files === 0) console.error('the border check has read no file');
  return report.files > 0 && report.breaches.length === 0;
}

let failed = 0;
for (const [name, part] of parts) {
  const started = performance.now();
  const good = part();
  if (!good) failed += 1;
  console.log(`${good ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
process.exitCode = failed === 0 ? 0 : 1;
