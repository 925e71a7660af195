import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Health, Problem, ServerMessage, Session, SystemState } from '@evenkeel/contract';
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

test('what the server writes is for its user only, also in a folder that others may read', async () => {
  mkdirSync(join(folder, 'data'), { mode: 0o755 });
  const url = await listening(start({ EVENKEEL_SETUP_TOKEN: setupToken }));
  await post(`${url}/api/v1/setup`, { token: setupToken, username: 'anna', password, kind: 'bearer' });
  const names = readdirSync(join(folder, 'data'));
  expect(names).toContain('evenkeel.db-wal');
  for (const name of names) expect([name, statSync(join(folder, 'data', name)).mode & 0o077]).toEqual([name, 0]);
});

/** Mounts a small disk at the data folder; the reason where that is not possible here. */
function mountSmallDisk(at: string): string | undefined {
  try {
    mkdirSync(at);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'evenkeel-test', at], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    return `a small disk cannot be mounted here: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Writes until not one byte more fits. */
function fill(disk: string): void {
  const file = openSync(join(disk, 'filler'), 'a');
  try {
    for (let size = 65_536; size > 0; size = Math.floor(size / 2)) {
      try {
        while (writeSync(file, Buffer.alloc(size)) === size);
      } catch {
        // Smaller pieces may still fit.
      }
    }
  } finally {
    closeSync(file);
  }
}

test('on a full disk people log in and look, nothing is changed, and all goes on once there is room', async (context) => {
  const disk = join(folder, 'data');
  const impossible = mountSmallDisk(disk);
  if (impossible !== undefined) return context.skip(impossible);
  try {
    const first = start({ EVENKEEL_SETUP_TOKEN: setupToken });
    const url = await listening(first);
    const made = await post(`${url}/api/v1/setup`, { token: setupToken, username: 'anna', password, kind: 'bearer' });
    const before = (await made.json()) as Session;
    fill(disk);

    const refreshed = await refresh(url, before.refreshToken);
    const here = await logIn(url);
    expect(await change(url, here, 3)).toEqual([507, 'disk_full']);
    expect((await system(url, here)).notices).toContainEqual(expect.objectContaining({ code: 'database_full' }));
    expect((await system(url, here)).readOnly).toBe(true);
    expect(((await (await fetch(`${url}/api/v1/health`)).json()) as Health).status).toBe('degraded');
    expect((await post(`${url}/api/v1/updates/check`, {}, bearer(here))).status).toBe(507);
    for (let attempt = 0; attempt < 12; attempt += 1) await logIn(url, 'wrong', [401, 429]);
    expect((await ask(url, '/api/v1/containers', here)).status).toBe(200);

    rmSync(join(disk, 'filler'));
    await waitFor(async () => (await change(url, here, 3))[0] === 200, { timeoutMs: 60_000, describe: 'room' });
    expect((await system(url, here)).notices.map(({ code }) => code)).not.toContain('database_full');
    const kept = await refresh(url, refreshed.refreshToken);

    fill(disk);
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    const second = start();
    const again = await listening(second);
    const there = await logIn(again);
    expect((await ask(again, '/api/v1/settings', there)).status).toBe(200);
    await waitFor(async () => (await system(again, there)).notices.some(({ code }) => code === 'database_full'), {
      timeoutMs: 60_000,
      describe: 'the notice',
    });
    expect((await change(again, there, 4))[0]).toBeGreaterThanOrEqual(503);
    rmSync(join(disk, 'filler'));
    second.child.kill('SIGTERM');
    expect(await second.exited).toBe(0);

    const third = await listening(start());
    const later = await refresh(third, kept.refreshToken);
    expect(await (await ask(third, '/api/v1/settings', later)).json()).toMatchObject({ keepImages: 3 });
    expect(await change(third, later, 5)).toEqual([200, undefined]);
  } finally {
    for (const { child, exited } of started) {
      child.kill('SIGKILL');
      await exited;
    }
    execFileSync('umount', [disk], { stdio: 'pipe' });
  }
});

function bearer({ accessToken }: Session): Record<string, string> {
  return { authorization: `Bearer ${accessToken}` };
}

function ask(url: string, path: string, session: Session): Promise<Response> {
  return fetch(`${url}${path}`, { headers: bearer(session) });
}

async function system(url: string, session: Session): Promise<SystemState> {
  return (await (await ask(url, '/api/v1/system', session)).json()) as SystemState;
}

async function logIn(url: string, given = password, wanted = [200]): Promise<Session> {
  const answer = await post(`${url}/api/v1/session`, { username: 'anna', password: given, kind: 'bearer' });
  expect(wanted, await answer.clone().text()).toContain(answer.status);
  return (await answer.json()) as Session;
}

async function refresh(url: string, refreshToken: string | undefined): Promise<Session> {
  const answer = await post(`${url}/api/v1/session/refresh`, { refreshToken });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return (await answer.json()) as Session;
}

/** Changes a setting; the status, and the code of a refusal. */
async function change(url: string, session: Session, keepImages: number): Promise<[number, string | undefined]> {
  const answer = await fetch(`${url}/api/v1/settings`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', ...bearer(session) },
    body: JSON.stringify({ keepImages }),
  });
  return [answer.status, ((await answer.json()) as Partial<Problem>).code];
}
