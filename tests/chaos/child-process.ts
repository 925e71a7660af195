import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { ChildOrder, ChildReport } from './run-child.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const cache = fileURLToPath(new URL('../../node_modules/.cache/evenkeel-chaos/', import.meta.url));
const bundle = join(cache, `run-child-${process.pid}.mjs`);

/** One file that starts in a fraction of a second: hundreds of processes are started and killed. */
export async function bundleChild(): Promise<void> {
  mkdirSync(cache, { recursive: true });
  await build({
    entryPoints: [join(here, 'run-child.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    outfile: bundle,
    external: ['better-sqlite3'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
}

/** Its report, or undefined when it ended by SIGKILL as ordered. Any other end is an error with what it said. */
export function runChild(order: ChildOrder, env: Record<string, string> = {}): Promise<ChildReport | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bundle, JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(cache, 'compiled'), ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL' && order.killAt > 0) resolve(undefined);
      else if (code === 0) resolve(JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ChildReport);
      else reject(new Error(`The child ended with ${code ?? signal} (order ${JSON.stringify(order)}):\n${stderr}`));
    });
  });
}
