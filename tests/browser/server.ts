import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@evenkeel/testbed';

const root = join(import.meta.dirname, '../..');
const main = join(root, 'packages/server/dist/main.js');

/** The built server as a process of its own, on data of its own. */
export interface RunningServer {
  url: string;
  port: number;
  setupToken: string;
  /** Everything that it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Builds what is stale and starts the server on a free port, as a user would. */
export async function startServer(options: { engine: string; insecureRegistries: string }): Promise<RunningServer> {
  execFileSync(process.execPath, [join(root, 'scripts/build.ts')], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (!existsSync(main)) throw new Error(`There is no ${main} after the build.`);
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-browser-'));
  const setupToken = 'browser-test-setup-token-0123456789';
  const child = spawn(process.execPath, [main], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      EVENKEEL_PORT: '0',
      EVENKEEL_DATA_DIR: directory,
      EVENKEEL_ENGINE: options.engine,
      EVENKEEL_INSECURE_REGISTRIES: options.insecureRegistries,
      EVENKEEL_SETUP_TOKEN: setupToken,
    },
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    output += text.toString();
  });
  const port = await waitFor(
    () => {
      if (child.exitCode !== null) return -1;
      return Number(/https?:\/\/(?:127\.0\.0\.1|localhost):(\d+)/.exec(output)?.[1] ?? 0);
    },
    { timeoutMs: 60_000, describe: 'the server to print its address' },
  );
  if (port < 0) throw new Error(`The server ended at its start:\n${output}`);
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/api/v1/health`)).ok, { timeoutMs: 60_000, describe: 'the server' });
  return {
    url,
    port,
    setupToken,
    output: () => output,
    async stop() {
      await end(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}
