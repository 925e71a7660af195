import { images, loadImage, sharedEngine, type TestEngine, uniqueName, waitFor } from '@evenkeel/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let engine: TestEngine;
const names: string[] = [];
beforeAll(async () => {
  engine = await sharedEngine();
});
afterAll(async () => {
  if (names.length > 0) await engine.cli('rm', '-fv', ...names);
  await engine.stop();
});

async function run(image: Parameters<typeof loadImage>[1], ...options: string[]): Promise<string> {
  const name = uniqueName('behaviour');
  await loadImage(engine, image, `local/${name}:1`);
  names.push(name);
  await engine.cli('run', '-d', '--name', name, ...options, `local/${name}:1`);
  return name;
}

interface State {
  Status: string;
  ExitCode: number;
  StartedAt: string;
  FinishedAt: string;
  Health?: { Status: string };
}
const state = async (name: string): Promise<State> =>
  ((await engine.request('GET', `/containers/${name}/json`)).body as { State: State }).State;
const health = async (name: string) => (await state(name)).Health?.Status;

describe('images with a behaviour', () => {
  test('listens answers its version and ends on SIGTERM with 0, without being killed', async () => {
    const name = await run(await images.listens({ version: '7' }), '-p', '127.0.0.1::80');
    const address = await engine.docker('port', name, '80');
    expect(await waitFor(async () => (await fetch(`http://${address}/`)).text())).toBe('version 7\n');
    await engine.docker('stop', '-t', '60', name);
    expect((await state(name)).ExitCode).toBe(0);
  });

  test('listens also under a read-only root, as another user, without a network of its own', async () => {
    const name = await run(
      await images.listens({ version: '7' }),
      '--read-only',
      '--user',
      '33',
      '-p',
      '127.0.0.1::80',
    );
    const address = await engine.docker('port', name, '80');
    expect(await waitFor(async () => (await fetch(`http://${address}/`)).text())).toBe('version 7\n');
  });

  test('healthyLate is starting as long as told and then healthy', async () => {
    const [late, never] = [
      await run(await images.healthyLate({ seconds: 1 })),
      await run(await images.healthyLate({ seconds: 3600 })),
    ];
    await waitFor(async () => (await health(late)) === 'healthy', { timeoutMs: 60_000 });
    expect(await health(never)).toBe('starting');
  });

  test('turnsUnhealthy is healthy first and unhealthy later', async () => {
    const name = await run(await images.turnsUnhealthy({ seconds: 5 }));
    await waitFor(async () => (await health(name)) === 'healthy', { timeoutMs: 60_000 });
    await waitFor(async () => (await health(name)) === 'unhealthy', { timeoutMs: 60_000 });
  });

  test('neverHealthy is unhealthy and says why', async () => {
    const name = await run(await images.neverHealthy());
    await waitFor(async () => (await health(name)) === 'unhealthy', { timeoutMs: 60_000 });
    expect(await engine.docker('inspect', '-f', '{{(index .State.Health.Log 0).Output}}', name)).toContain('database');
  });

  test('exitsAtOnce ends with its code', async () => {
    const name = await run(await images.exitsAtOnce({ code: 3 }));
    await waitFor(async () => (await state(name)).Status === 'exited', { timeoutMs: 60_000 });
    expect((await state(name)).ExitCode).toBe(3);
  });

  test('lacksEntrypoint is refused at start', async () => {
    const name = await run(await images.lacksEntrypoint());
    expect((await engine.request('POST', `/containers/${name}/start`)).status).toBe(400);
  });

  test('logsLines prints on both streams', async () => {
    const name = await run(await images.logsLines({ lines: 4 }));
    const output = await waitFor(async () => {
      const result = await engine.cli('logs', name);
      return `${result.stdout}\n${result.stderr}`.split('\n').length === 4 ? result : undefined;
    });
    expect(output.stdout).toBe('line 1 on stdout\nline 3 on stdout');
    expect(output.stderr).toBe('line 2 on stderr\nline 4 on stderr');
  });

  test('the fidelity pair differs in every field that an image sets and both become healthy', async () => {
    const [one, two] = [await images.fidelity(1), await images.fidelity(2)];
    const configs = [one, two].map((image) => JSON.parse(image.config.toString()).config as Record<string, unknown>);
    for (const field of [
      'Env',
      'Labels',
      'Entrypoint',
      'Cmd',
      'ExposedPorts',
      'WorkingDir',
      'Healthcheck',
      'Volumes',
    ]) {
      expect(configs[0]?.[field], field).not.toEqual(configs[1]?.[field]);
    }
    const running = await Promise.all([run(one), run(two)]);
    for (const name of running) await waitFor(async () => (await health(name)) === 'healthy', { timeoutMs: 60_000 });
    expect(await engine.docker('exec', running[1] ?? '', 'cat', '/data/from-image')).toBe('version 2');
  });

  test('equal specs give equal images', async () => {
    expect((await images.listens({ version: '1' })).digest).toBe((await images.listens({ version: '1' })).digest);
    expect((await images.listens({ version: '2' })).digest).not.toBe((await images.listens({ version: '1' })).digest);
  });
});
