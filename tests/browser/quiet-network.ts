import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@evenkeel/testbed';

/** A browser program that sees one port of this machine and nothing else. */
export interface QuietNetwork {
  executablePath: string;
  stop(): Promise<void>;
}

/**
 * A network of its own for the browser. Each container that starts or stops on this machine adds or removes an interface,
 * and Chromium cuts all its connections on every such change; in a namespace with nothing but loopback it sees none.
 * `port` of 127.0.0.1 leads out to the same port here. Where the system refuses namespaces the browser runs as it is.
 */
export async function quietNetwork(browser: string, port: number): Promise<QuietNetwork> {
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' });
  } catch {
    return { executablePath: browser, stop: async () => {} };
  }
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-net-'));
  const socketPath = join(directory, 'out.sock');
  const outside = createServer((inner) => {
    const outer = connect(port, '127.0.0.1');
    inner.pipe(outer).pipe(inner);
    inner.on('error', () => outer.destroy());
    outer.on('error', () => inner.destroy());
  });
  await new Promise<void>((resolve) => outside.listen(socketPath, resolve));

  const inside = `
    const { connect, createServer } = require('node:net');
    createServer((inner) => {
      const outer = connect(${JSON.stringify(socketPath)});
      inner.pipe(outer).pipe(inner);
      inner.on('error', () => outer.destroy());
      outer.on('error', () => inner.destroy());
    }).listen(${port}, '127.0.0.1', () => console.log('ready'));`;
  const bridge = spawn(
    'unshare',
    ['--net', 'sh', '-c', 'ip link set lo up && exec "$0" -e "$1"', process.execPath, inside],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  bridge.stdout.on('data', (text: Buffer) => {
    said += text.toString();
  });
  await waitFor(() => said.includes('ready'), { describe: 'the network of the browser' });

  const executablePath = join(directory, 'browser');
  writeFileSync(executablePath, `#!/bin/sh\nexec nsenter --net=/proc/${bridge.pid}/ns/net ${browser} "$@"\n`);
  chmodSync(executablePath, 0o755);
  return {
    executablePath,
    async stop() {
      await ended(bridge);
      await new Promise<void>((resolve) => outside.close(() => resolve()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await gone;
}
