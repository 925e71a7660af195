import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem, ServerMessage, Session, SystemState } from '@evenkeel/contract';
import { waitFor } from '@evenkeel/testbed';
import { afterEach, beforeEach, expect, test } from 'vitest';

const main = join(import.meta.dirname, '../../packages/server/src/main.ts');
const setupToken = 'a-token-for-this-scenario';
const password = 'correct horse battery';

interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  output(): string;
}

let folder: string;
const started: Started[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-server-'));
});
afterEach(async () => {
  for (const { child, exited } of started.splice(0)) {
    child.kill('SIGKILL');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** The server as a process of its own, with no engine to be found. */
function start(environment: Record<string, string> = {}, options: readonly string[] = []): Started {
  const child = spawn(process.execPath, [main, ...options], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      EVENKEEL_PORT: '0',
      EVENKEEL_DATA_DIR: join(folder, 'data'),
      EVENKEEL_ENGINE: `unix://${folder}/no-engine.sock`,
      ...environment,
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (text += data.toString()));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const one = { child, exited, output: () => text };
  started.push(one);
  return one;
}

function listening({ child, output }: Started): Promise<string> {
  return waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${output()}`);
      return /listens on (http:\/\/\S+)/.exec(output())?.[1];
    },
    { timeoutMs: 60_000, describe: 'the server to listen' },
  );
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

test('without an engine it starts, says so and what to do, and the printed token makes the owner once', async () => {
  const server = start();
  const url = await listening(server);
  await waitFor(() => /Token: \S+/.test(server.output()), { describe: 'the token' });
  await waitFor(() => /cannot be reached/.test(server.output()) && /EVENKEEL_ENGINE/.test(server.output()), {
    describe: 'the reason',
  });
  const token = /Token: (\S+)/.exec(server.output())?.[1];
  const owner = { username: 'anna', password, kind: 'bearer' };
  expect((await post(`${url}/api/v1/setup`, { ...owner, token: 'guessed' })).status).toBe(403);
  const made = await post(`${url}/api/v1/setup`, { ...owner, token });
  expect(made.status).toBe(201);
  const { accessToken } = (await made.json()) as Session;
  const headers = { authorization: `Bearer ${accessToken}` };
  await waitFor(
    async () => {
      const { notices } = (await (await fetch(`${url}/api/v1/system`, { headers })).json()) as SystemState;
      return notices.some(
        ({ code, remedy }) => code === 'host_unreachable:local' && remedy?.includes('EVENKEEL_ENGINE'),
      );
    },
    { describe: 'the notice about the engine' },
  );
});

test('SIGTERM closes streams, answers what was asked, and ends with 0; the next start knows the session', async () => {
  const server = start({ EVENKEEL_SETUP_TOKEN: setupToken });
  const url = await listening(server);
  const made = await post(`${url}/api/v1/setup`, { token: setupToken, username: 'anna', password, kind: 'bearer' });
  const { accessToken, refreshToken } = (await made.json()) as Session;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/stream`);
  const opened = Promise.withResolvers<void>();
  const welcomed = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<number>();
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => welcomed.resolve(String(data));
  socket.onclose = ({ code }) => closed.resolve(code);
  await opened.promise;
  socket.send(JSON.stringify({ type: 'hello', accessToken }));
  expect((JSON.parse(await welcomed.promise) as ServerMessage).type).toBe('welcome');
  server.child.kill('SIGTERM');
  expect(await closed.promise).toBe(1001);
  expect(await server.exited).toBe(0);

  const next = await listening(start({ EVENKEEL_SETUP_TOKEN: setupToken }));
  expect((await post(`${next}/api/v1/session/refresh`, { refreshToken })).status).toBe(200);
  const late = await post(`${next}/api/v1/setup`, { token: setupToken, username: 'eve', password });
  expect(((await late.json()) as Problem).code).toBe('not_found');
});

test('a taken port, a second server on the data folder and a wrong option each stop the start with a sentence', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const blocked = start({ EVENKEEL_PORT: String(port) });
  expect(await blocked.exited).toBe(1);
  expect(blocked.output()).toMatch(new RegExp(`port ${port} .* is taken.*EVENKEEL_PORT`));
  other.close();

  const url = await listening(start());
  const second = start();
  expect(await second.exited).toBe(1);
  expect(second.output()).toMatch(/Another Evenkeel is running on the data folder/);
  expect((await fetch(`${url}/api/v1/health`)).status).toBe(200);

  const wrong = start({ EVENKEEL_PORT: 'eighty', EVENKEEL_LOG_LEVEL: 'loud' });
  expect(await wrong.exited).toBe(1);
  expect(wrong.output()).toMatch(/EVENKEEL_PORT must be a whole number/);
  expect(wrong.output()).toMatch(/EVENKEEL_LOG_LEVEL must be one of/);
});

test('a killed server leaves nothing in the way of the next', async () => {
  const killed = start();
  await listening(killed);
  killed.child.kill('SIGKILL');
  await killed.exited;
  await listening(start());
});

test('--help lists the options, and an unknown variable is warned about', async () => {
  const help = start({}, ['--help']);
  expect(await help.exited).toBe(0);
  expect(help.output()).toContain('EVENKEEL_DATA_DIR');
  const typo = start({ EVENKEEL_PROT: '1' });
  await listening(typo);
  expect(typo.output()).toMatch(/EVENKEEL_PROT is not a known variable.*EVENKEEL_PORT/);
});

test('a lost key locks the stored secrets, and no new key is made', async () => {
  const before = start({ EVENKEEL_SETUP_TOKEN: setupToken });
  const url = await listening(before);
  const made = await post(`${url}/api/v1/setup`, { token: setupToken, username: 'anna', password, kind: 'bearer' });
  expect(made.status).toBe(201);
  before.child.kill('SIGTERM');
  await before.exited;
  rmSync(join(folder, 'data/master.key'));
  const after = start();
  const again = await listening(after);
  expect(after.output()).toMatch(/secrets are locked.*master\.key is missing/);
  const session = await post(`${again}/api/v1/session`, { username: 'anna', password, kind: 'bearer' });
  const { accessToken } = (await session.json()) as Session;
  const stored = await post(
    `${again}/api/v1/registries`,
    { host: 'registry.example', username: 'u', password: 'p' },
    { authorization: `Bearer ${accessToken}` },
  );
  expect([stored.status, ((await stored.json()) as Problem).code]).toEqual([503, 'locked']);
});
