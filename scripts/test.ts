import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, requirePrivateEngine, requireProgram, TestbedUnavailable } from '@evenkeel/testbed';
import { type Counts, closingLine, countVitest, failuresOf, secondTriesOf, sumCounts } from './test-results.ts';

/** Runs the parts named in the arguments, all of them without any, and prints the sum. `./test` calls it. */
const root = join(import.meta.dirname, '..');
const results = join(root, 'test-results');
const failures: string[] = [];
const secondTries: string[] = [];
const inCi = process.env['CI'] === 'true';

interface Part {
  name: string;
  run(): Counts;
  /** Throws TestbedUnavailable with the reason when the part cannot run on this machine. */
  requires?(): void;
}

const parts: readonly Part[] = [
  { name: 'check', run: () => runScript('scripts/check.ts') },
  { name: 'unit', run: () => runVitest('unit') },
  { name: 'build', run: () => runScript('scripts/build.ts') },
  { name: 'scenarios', run: () => runVitest('scenarios'), requires: () => requireTestbed('docker-compose') },
  { name: 'chaos', run: () => runVitest('chaos'), requires: () => requireTestbed() },
  { name: 'browser', run: () => runVitest('browser'), requires: () => requireTestbed('chromium') },
];

function requireTestbed(...programs: Program[]): void {
  for (const program of ['docker-registry', 'htpasswd', 'busybox', 'openssl', ...programs] as const)
    requireProgram(program);
  if (!process.env['EVENKEEL_TEST_ENGINE']) requirePrivateEngine();
}

function runScript(script: string): Counts {
  const good =
    spawnSync(process.execPath, [script], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
  return { passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0 };
}

function runVitest(project: string): Counts {
  const report = join(results, `${project}.json`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const options = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status } = spawnSync(process.execPath, [vitest, ...options], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const text = existsSync(report) ? readFileSync(report, 'utf8') : undefined;
  secondTries.push(...secondTriesOf(text).map((test) => `${project}: ${test}`));
  failures.push(...failuresOf(text).map((failure) => `${project}: ${failure}`));
  return countVitest(text, status ?? 1);
}

function reasonAgainst(part: Part): string | undefined {
  try {
    part.requires?.();
    return undefined;
  } catch (error) {
    if (error instanceof TestbedUnavailable) return error.message;
    throw error;
  }
}

/** Runs one part and returns its counts and the line about it for the end. */
function runPart(part: Part): { counts: Counts; line: string } {
  const reason = reasonAgainst(part);
  if (reason !== undefined && !inCi) {
    return { counts: { passed: 0, failed: 0, skipped: 1 }, line: `skipped  ${part.name}: ${reason}` };
  }
  if (reason !== undefined)
    return { counts: { passed: 0, failed: 1, skipped: 0 }, line: `FAILED   ${part.name}: ${reason}` };
  console.log(`\n== ${part.name} ==`);
  const started = performance.now();
  const counts = part.run();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  return {
    counts,
    line: `${counts.failed === 0 ? 'ok      ' : 'FAILED  '} ${part.name} (${seconds} s): ${closingLine(counts)}`,
  };
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !parts.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}. The parts are: ${parts.map((part) => part.name).join(', ')}.`);
  process.exit(2);
}

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const chosen = parts.filter((part) => names.length === 0 || names.includes(part.name));
const outcomes = chosen.map(runPart);
const total = sumCounts(outcomes.map(({ counts }) => counts));
console.log(`\n${outcomes.map(({ line }) => line).join('\n')}\n`);
for (const test of secondTries) console.log(`PASSED ON THE SECOND TRY  ${test}\n`);
for (const failure of failures) console.log(`FAILED  ${failure}\n`);
console.log(closingLine(total));
process.exitCode = total.failed === 0 ? 0 : 1;
