import { join } from 'node:path';
import type { Container, Page, Plan, Run, Session, SetupState, StartRunsResult, Update } from '@evenkeel/contract';
import {
  images,
  pushImage,
  sharedRegistry,
  startEngine,
  type TestEngine,
  type TestRegistry,
  uniqueName,
  waitFor,
} from '@evenkeel/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importBaseImage } from './container-image/base-image.ts';
import { startPackageServer } from './container-image/package-server.ts';
import { freePort } from './free-port.ts';

/** The image as people run it: built from the Dockerfile, managing the engine that it runs on. */
const root = join(import.meta.dirname, '../..');
const base = uniqueName('evenkeel-base');
const image = uniqueName('evenkeel-image');
const name = uniqueName('evenkeel');
const volume = uniqueName('evenkeel-data');
const password = 'correct horse battery staple';

let engine: TestEngine;
let registry: TestRegistry;
/** The built image as it would be published. */
let reference: string;
let url: string;
let session: Session | undefined;

beforeAll(async () => {
  // Our own engine: the server in the image looks after every container that it finds.
  engine = await startEngine();
  registry = await sharedRegistry();
  const packages = await startPackageServer(root);
  try {
    await importBaseImage(engine, base, { npm_config_registry: packages.url });
    // The host's network is only for the package server on loopback.
    const build = ['build', '--network', 'host', '--build-arg', `BASE=${base}`, '--tag', image, root];
    await engine.docker(...build);
  } finally {
    await packages.stop();
  }
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  // As in compose.yaml, but on the host's network: the registry listens on its loopback.
  const network = ['--network', 'host', '--env', `EVENKEEL_PORT=${port}`];
  const named = ['--env', `EVENKEEL_INSECURE_REGISTRIES=${registry.host}`];
  const owner = ['--env', 'EVENKEEL_OWNER_USERNAME=owner', '--env', `EVENKEEL_OWNER_PASSWORD=${password}`];
  reference = `${registry.host}/${image}:stable`;
  await engine.docker('tag', image, reference);
  const flags = [...asInCompose(volume), ...network, ...named, ...owner];
  await engine.docker('run', '--detach', '--name', name, ...flags, reference);
}, 400_000);

afterAll(async () => {
  await engine?.stop();
  await registry?.stop();
}, 120_000);

test('the container becomes healthy by its own health check', async () => {
  await waitFor(async () => (await inspect('{{.State.Health.Status}}')) === 'healthy', {
    timeoutMs: 60_000,
    describe: 'the container to be healthy',
  });
});

test('it finds its engine by the mounted socket and itself among the containers', async () => {
  const id = await inspect('{{.Id}}');
  const own = await waitFor(async () => (await containers()).find((container) => container.id === id), {
    describe: 'the own container in the list',
  });
  expect(own).toMatchObject({ name, self: true, state: 'running' });
  expect((await containers()).filter((container) => container.self)).toHaveLength(1);
});

test('it updates a container beside it to a newer image of a registry', async () => {
  const sibling = uniqueName('sibling');
  const repository = uniqueName('sibling');
  const { reference } = await pushImage(registry, repository, 'stable', await images.listens({ version: '1.0.0' }));
  await engine.docker('run', '--detach', '--name', sibling, '--env', 'KEPT=yes', reference);
  const newer = await pushImage(registry, repository, 'stable', await images.listens({ version: '1.1.0' }));

  const old = await waitFor(async () => (await containers()).find((container) => container.name === sibling), {
    describe: 'the sibling in the list',
  });
  const target = { host: old.host, container: old.id };
  await call('POST', '/api/v1/updates/check', { containers: [target] });
  await waitFor(
    async () => (await call<Update>('GET', `/api/v1/updates/${old.host}/${old.id}`)).state === 'digest-update',
    { timeoutMs: 60_000, describe: 'the newer image to be found' },
  );
  const plan = await call<Plan>('POST', '/api/v1/updates/plan', target);
  expect(plan).toMatchObject({ refusals: [], to: { digest: newer.digest } });

  const started = await call<StartRunsResult>('POST', '/api/v1/runs', {
    containers: [{ ...target, gate: { seconds: 1 } }],
  });
  const run = started.results[0]?.run;
  const ended = await waitFor(
    async () => {
      const now = await call<Run>('GET', `/api/v1/runs/${run}`);
      return now.finishedAt !== null && now;
    },
    { timeoutMs: 60_000, describe: 'the run to end' },
  );
  expect(ended).toMatchObject({ state: 'committed', reason: null });
  const facts = await engine.docker('inspect', '--format', '{{.Image}} {{.State.Running}} {{.Config.Env}}', sibling);
  expect(facts).toContain(`${newer.imageId} true`);
  expect(facts).toContain('KEPT=yes');
});

describe('it updates itself', () => {
  test('to an image that ends at once: it comes back as it was and says why', async () => {
    const before = await inspect('{{.Id}}');
    const run = await updateItself('ENTRYPOINT ["node", "-e", "process.exit(3)"]');
    const ended = await whenEnded(run);
    expect(ended).toMatchObject({ state: 'rolled-back', reason: expect.stringMatching(/ended with code 3|restarted/) });
    expect(await inspect('{{.Id}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}}')).toBe(
      `${before} true unless-stopped`,
    );
    expect(await instances()).toEqual([name]);
  }, 240_000);

  test('to a newer image, although the helper is killed in between', async () => {
    const before = await inspect('{{.Id}}');
    const run = await updateItself('LABEL evenkeel.test=newer');
    await kill(`${name}.hand.${run}`);
    const ended = await whenEnded(run);
    expect(ended).toMatchObject({ state: 'committed', reason: null, recovered: false });
    expect(ended.gapMilliseconds).toBeGreaterThan(0);
    expect(ended.newContainer).not.toBe(before);
    expect(await inspect('{{.Id}} {{.State.Running}} {{index .Config.Labels "evenkeel.test"}}')).toBe(
      `${ended.newContainer} true newer`,
    );
    expect(await instances()).toEqual([name]);
  }, 240_000);

  test('and ends as one instance when the new one is killed as it starts', async () => {
    const before = await inspect('{{.Id}}');
    const run = await updateItself('LABEL evenkeel.test=newest');
    await waitFor(async () => (await inspect('{{.Id}}').catch(() => before)) !== before, { timeoutMs: 60_000 });
    await kill(name);
    const ended = await whenEnded(run);
    expect(['committed', 'rolled-back']).toContain(ended.state);
    const standing = ended.state === 'committed' ? ended.newContainer : before;
    expect(await inspect('{{.Id}} {{.State.Running}}')).toBe(`${standing} true`);
    expect(await instances()).toEqual([name]);
  }, 240_000);
});

test('a stop ends it in order, and the next start knows its owner', async () => {
  await engine.docker('stop', '--time', '60', name);
  // 137 would be the SIGKILL after the time-out.
  expect(await inspect('{{.State.ExitCode}}')).toBe('0');
  await engine.docker('start', name);
  session = undefined;
  await waitFor(async () => (await containers()).some((container) => container.self), {
    timeoutMs: 60_000,
    describe: 'the server to answer again',
  });
  await engine.docker('stop', '--time', '60', name);
});

test('with a published port and without an owner it prints the token of the first run', async () => {
  const published = uniqueName('evenkeel');
  const flags = asInCompose(uniqueName('evenkeel-data'));
  await engine.docker('run', '--detach', '--name', published, ...flags, '--publish', '127.0.0.1::8420', image);
  const address = await engine.docker('port', published, '8420');
  const state = await waitFor(async () => (await fetch(`http://${address}/api/v1/setup`)).json(), {
    timeoutMs: 60_000,
    describe: 'the published port to answer',
  });
  expect(state as SetupState).toEqual({ setupNeeded: true });
  const { stdout, stderr } = await engine.cli('logs', published);
  expect(stdout + stderr).toMatch(/token/i);
  const page = await fetch(`http://${address}/`);
  expect(page.headers.get('content-type')).toContain('text/html');
  await engine.docker('stop', '--time', '60', published);
});

/** Publishes a changed image under the tag that it runs, and starts the update. Returns the run. */
async function updateItself(change: string): Promise<string> {
  const container = await engine.docker('create', image);
  await engine.docker('commit', '--change', change, container, reference);
  await engine.docker('push', '-q', reference);
  await engine.docker('rm', container);
  const target = { host: 'local', container: await inspect('{{.Id}}') };
  await call('POST', '/api/v1/updates/check', { containers: [target] });
  await waitFor(
    async () => {
      const { state, candidates } = await call<Update>('GET', `/api/v1/updates/local/${target.container}`);
      return (state === 'digest-update' || state === 'pulled-not-applied') && candidates[0]?.blocked === null;
    },
    { timeoutMs: 60_000, describe: 'the newer image to be found' },
  );
  const plan = await call<Plan>('POST', '/api/v1/updates/plan', target);
  expect(plan).toMatchObject({ refusals: [], strategy: 'recreate' });
  expect(plan.steps.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^hand over to the helper/));
  const { results } = await call<StartRunsResult>('POST', '/api/v1/runs', { containers: [target] });
  expect(results[0]?.refusal).toBe(null);
  return results[0]?.run ?? '';
}

/** The finished run, as whoever runs then tells it. */
function whenEnded(run: string): Promise<Run> {
  return waitFor(
    async () => {
      const now = await call<Run>('GET', `/api/v1/runs/${run}`);
      return now.finishedAt === null ? undefined : now;
    },
    { timeoutMs: 180_000, describe: 'the run to end' },
  );
}

/** Ends its process as the kernel would; the engine's own kill would count as a person's stop. */
async function kill(container: string): Promise<void> {
  const pid = await waitFor(
    async () => Number((await engine.cli('inspect', '--format', '{{.State.Pid}}', container)).stdout),
    { timeoutMs: 60_000, describe: `${container} to run` },
  );
  process.kill(pid, 'SIGKILL');
}

async function instances(): Promise<string[]> {
  const all = await engine.docker('ps', '--all', '--filter', `name=${name}`, '--format', '{{.Names}}');
  return all.split('\n');
}

function asInCompose(data: string): string[] {
  const mounts = ['--volume', `${data}:/data`, '--volume', `${engine.socketPath}:/var/run/docker.sock`];
  const limits = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true'];
  return [...mounts, ...limits, '--health-interval', '1s', '--restart', 'unless-stopped'];
}

function inspect(format: string): Promise<string> {
  return engine.docker('inspect', '--format', format, name);
}

async function containers(): Promise<Container[]> {
  return (await call<Page<Container>>('GET', '/api/v1/containers')).items;
}

/** An API call as the owner. Any answer but a good one is an error that shows it. */
async function call<T>(method: string, path: string, body?: object): Promise<T> {
  session ??= await send<Session>('POST', '/api/v1/session', {}, { username: 'owner', password, kind: 'bearer' });
  return send<T>(method, path, { authorization: `Bearer ${session.accessToken}` }, body);
}

async function send<T>(method: string, path: string, headers: Record<string, string>, body?: object): Promise<T> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}
