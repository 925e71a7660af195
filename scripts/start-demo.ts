import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startDemo } from '@evenkeel/testbed';
import { readDemoOptions } from './demo-options.ts';

/** `./start --demo`: engine, registry and containers of the demo first, then the server on them; ends in reverse order. */
const root = join(import.meta.dirname, '..');
const directory = join(root, 'data/demo');
/** Longer than the server allows itself, in milliseconds; whatever is at work then, the next start finishes. */
const longestStop = 40_000;
/** What a shell says of a program that Ctrl-C ended. */
const interrupted = 130;

const read = readDemoOptions(process.argv.slice(2), process.env);
if (read.kind === 'wrong') {
  console.error(read.sentence);
  process.exit(1);
}
const { options, environment, ignored } = read;
if (ignored.length > 0) console.log(`The demo does not use ${ignored.join(', ')}.`);

let server: ChildProcess | undefined;
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // A second Ctrl-C means that the server is not to be waited for; the engine is always cleaned up.
    server?.kill(stopping.signal.aborted ? 'SIGKILL' : 'SIGTERM');
    if (server !== undefined) setTimeout(() => server?.kill('SIGKILL'), longestStop).unref();
    if (!stopping.signal.aborted) console.log('Stopping the demo');
    stopping.abort();
  });
}

const began = performance.now();
try {
  const demo = await startDemo({ directory, report: (sentence) => console.log(sentence), signal: stopping.signal });
  try {
    console.log(
      `The demo is ready after ${((performance.now() - began) / 1000).toFixed(1)} s: ${demo.engine.url}, registry ${demo.registry.host}`,
    );
    process.exitCode = stopping.signal.aborted ? interrupted : await runServer(demo.engine.url, demo.registry.host);
  } finally {
    await demo.stop();
  }
} catch (error) {
  process.exitCode = stopping.signal.aborted ? interrupted : 1;
  // That it was told to stop is not worth a word; that something could not be removed is.
  if (error !== stopping.signal.reason) console.error(error instanceof Error ? error.message : error);
}
process.exit();

/** Runs the server until it ends; its exit code. In a session of its own: Ctrl-C reaches us alone, and we tell it. */
function runServer(engine: string, registry: string): Promise<number> {
  const dataDirectory = join(directory, 'evenkeel');
  mkdirSync(dataDirectory, { recursive: true });
  const child = spawn(process.execPath, [join(root, 'packages/server/dist/main.js'), ...options], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...environment,
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
