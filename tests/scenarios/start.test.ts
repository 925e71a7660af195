import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container, Page, Session, SetupState } from '@evenkeel/contract';
import { waitFor } from '@evenkeel/testbed';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { copyTree } from './start/copied-tree.ts';
import { nothing, slotBelow, traces } from './start/traces.ts';

/** The first command of the README, run as a person runs it: in a terminal, ended by Ctrl-C. */
interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  output(): string;
}

const owner = { username: 'anna', password: 'correct horse battery', kind: 'bearer' };
let copy: string;
let last: Started | undefined;

beforeAll(() => {
  copy = copyTree();
});
afterEach(async () => {
  if (last === undefined) return;
  if (last.child.exitCode === null) process.kill(-(last.child.pid ?? 0), 'SIGINT');
  await last.exited;
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** `./start` with a new user's environment, in a process group of its own as a shell would make it. */
function start(environment: Record<string, string>, ...options: string[]): Started {
  const child = spawn(join(copy, 'start'), options, {
    cwd: copy,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: copy,
      EVENKEEL_PORT: '0',
      ...environment,
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (text += data.toString()));
  last = { child, exited: once(child, 'exit').then(([code]) => code as number | null), output: () => text };
  return last;
}

/** Waits until the output has the text and returns the first group, else the whole match. */
function said({ child, output }: Started, pattern: RegExp): Promise<string> {
  return waitFor(
    () => {
      const match = pattern.exec(output());
      if (match === null && child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output()}`);
      return match?.[1] ?? match?.[0];
    },
    { timeoutMs: 120_000, describe: `${pattern} to be printed` },
  );
}

const listening = (started: Started) => said(started, /listens (?:here )?on (http:\/\/\S+)/);

/** What Ctrl-C in a terminal does: the signal to the whole process group. Returns the exit code. */
function interrupt({ child, exited }: Started): Promise<number | null> {
  process.kill(-(child.pid ?? 0), 'SIGINT');
  return exited;
}

async function post(url: string, body: object): Promise<Session> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Session;
}

/** Name, state and id of each container, sorted. */
async function containers(url: string, { accessToken }: Session): Promise<string[]> {
  const answer = await fetch(`${url}/api/v1/containers`, { headers: { authorization: `Bearer ${accessToken}` } });
  return ((await answer.json()) as Page<Container>).items.map(({ name, state, id }) => `${name} ${state} ${id}`).sort();
}

test('./start without an engine says so, keeps its data over a second start, and builds what has changed', async () => {
  const noEngine = { DOCKER_HOST: `unix://${copy}/no-engine.sock` };
  const first = start(noEngine);
  const url = await listening(first);
  await said(first, /EVENKEEL_ENGINE/);
  const token = await said(first, /Token: (\S+)/);
  await post(`${url}/api/v1/setup`, { ...owner, token });
  expect(existsSync(join(copy, 'data/evenkeel.db'))).toBe(true);
  expect(await interrupt(first)).toBe(0);
  expect(traces(copy, undefined)).toEqual(nothing);

  const main = join(copy, 'packages/server/src/main.ts');
  writeFileSync(main, readFileSync(main, 'utf8').replace('Evenkeel listens on', 'Evenkeel listens here on'));
  const second = start(noEngine);
  const again = await listening(second);
  expect(second.output()).toMatch(/Built the server[\s\S]*listens here on/);
  expect(second.output()).not.toMatch(/Built the web client|Token:/);
  const state = (await (await fetch(`${again}/api/v1/setup`)).json()) as SetupState;
  expect(state).toEqual({ setupNeeded: false });
  await post(`${again}/api/v1/session`, owner);
  expect(await interrupt(second)).toBe(0);
});

/** The digest of a tag in the demo's registry. */
async function digestOf(registry: string, repository: string, tag: string): Promise<string | null> {
  const accept = 'application/vnd.docker.distribution.manifest.v2+json';
  const url = `http://${registry}/v2/${repository}/manifests/${tag}`;
  return (await fetch(url, { method: 'HEAD', headers: { accept } })).headers.get('docker-content-digest');
}

test('./start --demo leaves nothing when it is stopped while it is made, nor afterwards, and keeps its containers', async () => {
  const elsewhere = { EVENKEEL_DATA_DIR: join(copy, 'elsewhere'), EVENKEEL_ENGINE: `unix://${copy}/real.sock` };
  const cut = start(elsewhere, '--demo');
  await said(cut, /Making images/);
  const slot = slotBelow(copy);
  expect(traces(copy, slot).processes).not.toEqual([]);
  expect(await interrupt(cut)).toBe(130);
  expect(traces(copy, slot)).toEqual(nothing);

  const account = { EVENKEEL_OWNER_USERNAME: owner.username, EVENKEEL_OWNER_PASSWORD: owner.password };
  const first = start({ ...elsewhere, ...account }, '--demo');
  const url = await listening(first);
  expect(first.output()).toContain('Making images');
  const session = await post(`${url}/api/v1/session`, owner);
  const before = await waitFor(
    async () => {
      const found = await containers(url, session);
      return found.length === 11 && found;
    },
    { timeoutMs: 60_000, describe: 'the containers of the demo' },
  );
  const running = (name: string) => expect.stringMatching(`^${name} running `);
  const stopped = expect.stringMatching(/^reports (created|exited) /);
  const alphabetical = [
    'dns',
    'downloads',
    'mail',
    'notes',
    'photos',
    'shop-api',
    'shop-db',
    'shop-web',
    'vpn',
    'wiki',
  ];
  expect(before).toEqual([...alphabetical.slice(0, 5).map(running), stopped, ...alphabetical.slice(5).map(running)]);
  // A tag that moved after its container was made.
  const registry = await said(first, /registry (\d\S+)/);
  expect(await digestOf(registry, 'shop/api', 'stable')).toBe(await digestOf(registry, 'shop/api', '2.3.1'));
  expect(await digestOf(registry, 'shop/api', 'stable')).not.toBe(await digestOf(registry, 'shop/api', '2.3.0'));

  const used = slotBelow(copy);
  expect(traces(copy, used).cgroups).not.toEqual([]);
  expect(await interrupt(first)).toBe(0);
  expect(traces(copy, used)).toEqual(nothing);
  expect(existsSync(join(copy, 'elsewhere'))).toBe(false);

  const second = start({}, '--demo');
  const again = await listening(second);
  expect(second.output()).not.toContain('Making images');
  const known = await post(`${again}/api/v1/session`, owner);
  await waitFor(async () => expect(await containers(again, known)).toEqual(before) ?? true, {
    timeoutMs: 60_000,
    describe: 'the same containers',
  });
  expect(await interrupt(second)).toBe(0);
  expect(traces(copy, used)).toEqual(nothing);
}, 300_000);

test('./start --demo refuses to be pointed at an engine of somebody else', async () => {
  const refused = start({}, '--demo', '--engine', 'unix:///var/run/docker.sock');
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toContain('does not take --engine');
});
