import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  images,
  loadImage,
  reserveSubnet,
  sharedEngine,
  startEngine,
  type TestEngine,
  uniqueName,
  waitFor,
} from '@evenkeel/testbed';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';

const started: TestEngine[] = [];
afterEach(async () => {
  for (const engine of started.splice(0)) await engine.stop();
});

async function startOwn(): Promise<TestEngine> {
  const engine = await startEngine();
  started.push(engine);
  return engine;
}

/** The arguments of a process; '' when it has ended. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Everything on this machine that bears the name of the engine's slot. */
function traces(slot: number) {
  const runtime = `/run/evenkeel-testbed/${slot}`;
  const interfaces = readdirSync('/sys/class/net');
  const commands = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(commandLine);
  return {
    processes: commands.filter((command) => command.includes(`${runtime}/`)),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${runtime}/`)),
    bridges: interfaces.filter((name) => name === `evenkeel${slot}`),
    records: [runtime, `${runtime}.json`].filter((path) => existsSync(path)),
  };
}
const nothing = { processes: [], mounts: [], bridges: [], records: [] };

describe('a private engine', () => {
  test('runs beside another one and shares nothing with it', async () => {
    const [one, other] = await Promise.all([startOwn(), startOwn()]);
    const image = await images.sleeper();
    await loadImage(one, image, 'local/app:1');
    await one.docker('run', '-d', '--name', 'app', 'local/app:1');
    expect(await one.docker('ps', '--format', '{{.Names}}')).toBe('app');
    expect(await other.docker('ps', '-a', '--format', '{{.Names}}')).toBe('');
    expect(await other.docker('images', '-q')).toBe('');
  });

  test('leaves no process, mount, bridge or file when it stops with running containers and networks', async () => {
    const engine = await startEngine();
    const before = readdirSync('/sys/class/net').filter((name) => name.startsWith('br-'));
    await loadImage(engine, await images.listens({ version: '1' }), 'local/app:1');
    await engine.docker('network', 'create', 'front');
    await engine.docker(
      'run',
      '-d',
      '--name',
      'web',
      '--network',
      'front',
      '-v',
      '/data',
      '-p',
      '127.0.0.1::80',
      'local/app:1',
    );
    const root = await engine.docker('info', '--format', '{{.DockerRootDir}}');
    const bridge = `br-${(await engine.docker('network', 'inspect', '-f', '{{.Id}}', 'front')).slice(0, 12)}`;
    expect(existsSync(`/sys/class/net/${bridge}`)).toBe(true);
    await engine.stop();
    expect(traces(engine.slot)).toEqual(nothing);
    expect(existsSync(root)).toBe(false);
    expect(existsSync(`/sys/class/net/${bridge}`)).toBe(false);
    expect(readdirSync('/sys/class/net')).toEqual(expect.arrayContaining(before));
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(root);
  });

  test('keeps its containers over a SIGKILL of the daemon and over a restart', async () => {
    const engine = await startOwn();
    await loadImage(engine, await images.sleeper(), 'local/app:1');
    const id = await engine.docker('run', '-d', '--restart', 'always', '--name', 'app', 'local/app:1');
    await engine.kill();
    await expect(engine.request('GET', '/_ping')).rejects.toThrow();
    await engine.start();
    await waitFor(async () => (await engine.docker('ps', '-q', '--no-trunc')) === id, { timeoutMs: 60_000 });
    await engine.restart();
    await waitFor(async () => (await engine.docker('ps', '-q', '--no-trunc')) === id, { timeoutMs: 60_000 });
    await engine.killEverything();
    await engine.start();
    await waitFor(async () => (await engine.docker('ps', '-q', '--no-trunc')) === id, { timeoutMs: 60_000 });
  });

  test('answers nothing while it is paused', async () => {
    const engine = await startOwn();
    await engine.pause();
    const answer = engine.request('GET', '/_ping');
    const first = await Promise.race([answer, new Promise((resolve) => setTimeout(() => resolve('silence'), 300))]);
    expect(first).toBe('silence');
    engine.resume();
    expect((await answer).status).toBe(200);
  });

  test('is removed by the next start after its owner was killed', async () => {
    const script = `
      const { startEngine, images, loadImage } = await import('@evenkeel/testbed');
      const engine = await startEngine();
      await loadImage(engine, await images.sleeper(), 'local/app:1');
      await engine.docker('network', 'create', 'front');
      await engine.docker('run', '-d', '--network', 'front', 'local/app:1');
      console.log(engine.slot);
      setInterval(() => {}, 1000);`;
    const cwd = join(import.meta.dirname, '../../packages/testbed');
    const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const slot = await new Promise<number>((resolve) => owner.stdout.once('data', (data) => resolve(Number(data))));
    const ended = new Promise((resolve) => owner.once('close', resolve));
    owner.kill('SIGKILL');
    await ended;
    expect(traces(slot).processes).not.toEqual([]);
    const next = await startOwn();
    if (next.slot !== slot) expect(traces(slot)).toEqual(nothing);
    expect(await next.docker('ps', '-aq')).toBe('');
  });
});

describe('the shared engine', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await sharedEngine();
  });

  test('refuses to be killed', async () => {
    await expect(engine.kill()).rejects.toThrow('start one with startEngine()');
    await expect(engine.pause()).rejects.toThrow('start one with startEngine()');
  });

  test('gives each network an address range of its own', async () => {
    const name = uniqueName('front');
    const [first, second] = [reserveSubnet(engine), reserveSubnet(engine)];
    expect(first.cidr).not.toBe(second.cidr);
    await engine.docker('network', 'create', '--subnet', first.cidr, name);
    await engine.docker('network', 'rm', name);
  });
});
