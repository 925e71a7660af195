import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startDemo } from '@evenkeel/testbed';

/** `./start --demo`: engine, registry and containers of the demo first, then the server on them; ends in reverse order. */
const root = join(import.meta.dirname, '..');
const directory = join(root, 'data/demo');
const options = process.argv.slice(2).filter((option) => option !== '--demo');

let server: ChildProcess | undefined;
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // A second Ctrl-C means that the server is not to be waited for; the engine is always cleaned up.
    if (stopping) server?.kill('SIGKILL');
    else server?.kill('SIGTERM');
    stopping = true;
  });
}

const began = performance.now();
try {
  const demo = await startDemo({ directory, report: (sentence) => console.log(sentence) });
  try {
    console.log(
      `The demo is ready after ${((performance.now() - began) / 1000).toFixed(1)} s: ${demo.engine.url}, registry ${demo.registry.host}`,
    );
    if (!stopping) process.exitCode = await runServer(demo.engine.url, demo.registry.host);
  } finally {
    console.log('Stopping the demo');
    await demo.stop();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
process.exit();

/** Runs the server until it ends; its exit code. In a session of its own: Ctrl-C reaches us alone, and we tell it. */
function runServer(engine: string, registry: string): Promise<number> {
  const dataDirectory = process.env['EVENKEEL_DATA_DIR'] ?? join(directory, 'evenkeel');
  mkdirSync(dataDirectory, { recursive: true });
  const child = spawn(process.execPath, [join(root, 'packages/server/dist/main.js'), ...options], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      EVENKEEL_ENGINE: engine,
      EVENKEEL_INSECURE_REGISTRIES: registry,
      EVENKEEL_DATA_DIR: dataDirectory,
    },
  });
  server = child;
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.once('close', (code) => resolve(code ?? 0));
  });
}
