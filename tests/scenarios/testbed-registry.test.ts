import { spawn } from 'node:child_process';
import { get } from 'node:https';
import { join } from 'node:path';
import {
  deleteTag,
  images,
  moveTag,
  pushImage,
  pushIndex,
  sharedEngine,
  sharedRegistry,
  startRegistry,
  type TestEngine,
  type TestRegistry,
  uniqueName,
} from '@evenkeel/testbed';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

let engine: TestEngine;
let registry: TestRegistry;
const own: TestRegistry[] = [];
beforeAll(async () => {
  engine = await sharedEngine();
  registry = await sharedRegistry();
});
beforeEach(() => {
  registry.faults.clear();
  registry.resetCounts();
});
afterAll(async () => {
  for (const each of own) await each.stop();
  await registry.stop();
  await engine.stop();
});

async function startOwn(options: Parameters<typeof startRegistry>[0]): Promise<TestRegistry> {
  const each = await startRegistry(options);
  own.push(each);
  return each;
}

const manifestUrl = (name: string, tag: string) => `${registry.url}/v2/${name}/manifests/${tag}`;
const accept = { accept: 'application/vnd.docker.distribution.manifest.v2+json' };

describe('the registry', () => {
  test.each(['none', 'basic', 'token'] as const)('lets the engine pull with authentication "%s"', async (auth) => {
    const guarded = await startOwn({ auth });
    const name = uniqueName('web');
    const pushed = await pushImage(guarded, name, '1', await images.listens({ version: uniqueName('v') }));
    if (guarded.credentials !== undefined) {
      const anonymous = await engine.cli('pull', '-q', pushed.reference);
      expect(anonymous.exitCode).toBe(1);
      expect(anonymous.stderr).toMatch(/no basic auth credentials|unauthorized|denied/);
      const { username, password } = guarded.credentials;
      await engine.docker('login', '-u', username, '-p', password, guarded.host);
    }
    await engine.docker('pull', '-q', pushed.reference);
    const inspected = await engine.docker(
      'image',
      'inspect',
      '-f',
      '{{.Id}} {{index .RepoDigests 0}}',
      pushed.reference,
    );
    expect(inspected).toBe(`${pushed.imageId} ${guarded.host}/${name}@${pushed.digest}`);
    expect(guarded.requests.length).toBeGreaterThan(0);
    expect(guarded.requests.some((request) => request.authorization)).toBe(auth !== 'none');
    expect(guarded.tokenRequests.some((request) => request.scopes.includes(`repository:${name}:pull`))).toBe(
      auth === 'token',
    );
  });

  test('lets anybody pull with an anonymous token where that is allowed', async () => {
    const open = await startOwn({ auth: 'token', anonymousPull: true, tokenField: 'access_token' });
    const pushed = await pushImage(open, 'shop/web', '1', await images.sleeper());
    await engine.docker('pull', '-q', pushed.reference);
    expect(open.tokenRequests.every((request) => request.username === undefined)).toBe(true);
  });

  test('speaks TLS with a certificate that only its own authority makes good', async () => {
    const secure = await startOwn({ tls: true });
    await expect(fetch(`${secure.url}/v2/`)).rejects.toMatchObject({ cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
    const status = await new Promise((resolve, reject) => {
      get(`${secure.url}/v2/`, { ca: secure.certificate }, (response) => resolve(response.resume().statusCode)).once(
        'error',
        reject,
      );
    });
    expect(status).toBe(200);
  });

  test('serves indexes: the engine takes its own platform, and moved and deleted tags are seen', async () => {
    const name = uniqueName('multi');
    const [arm, amd] = [await images.sleeper({ platform: 'linux/arm64' }), await images.sleeper({ version: name })];
    const pushed = await pushIndex(
      registry,
      name,
      '1',
      [
        { platform: 'linux/arm64', image: arm },
        { platform: 'linux/amd64', image: amd },
      ],
      { attestations: true, oci: true },
    );
    await engine.docker('pull', '-q', pushed.reference);
    expect(await engine.docker('image', 'inspect', '-f', '{{.Id}}', pushed.reference)).toBe(amd.imageId);

    await pushImage(registry, name, '2', amd);
    expect(await moveTag(registry, name, '1', '2')).toBe(amd.digest);
    const moved = await fetch(manifestUrl(name, '1'), { method: 'HEAD', headers: accept });
    expect(moved.headers.get('docker-content-digest')).toBe(amd.digest);
    await deleteTag(registry, name, '1');
    expect((await fetch(manifestUrl(name, '1'), { method: 'HEAD', headers: accept })).status).toBe(404);
  });
});

test('a registry whose owner was killed is removed by the next start', async () => {
  const script = `
    const { startRegistry } = await import('@evenkeel/testbed');
    console.log((await startRegistry()).direct.url);
    setInterval(() => {}, 1000);`;
  const cwd = join(import.meta.dirname, '../../packages/testbed');
  const options = ['--input-type=module-typescript', '-e', script];
  const owner = spawn(process.execPath, options, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve) => owner.stdout.once('data', (data) => resolve(String(data).trim())));
  const ended = new Promise((resolve) => owner.once('close', resolve));
  owner.kill('SIGKILL');
  await ended;
  await startOwn({});
  await expect(fetch(`${url}/v2/`)).rejects.toThrow();
});

describe('the proxy in front of the registry', () => {
  let name: string;
  beforeAll(async () => {
    name = uniqueName('fault');
    await pushImage(registry, name, '1', await images.sleeper());
  });

  test('counts what clients send and not what the test bed pushes', async () => {
    await pushImage(registry, name, '1', await images.sleeper());
    expect(registry.requests).toEqual([]);
    await fetch(manifestUrl(name, '1'), { method: 'HEAD', headers: { ...accept, authorization: 'Basic eDp5' } });
    expect(registry.requests).toMatchObject([
      { method: 'HEAD', path: `/v2/${name}/manifests/1`, status: 200, authorization: true },
    ]);
  });

  test('answers with a status and Retry-After as often as told, then passes on', async () => {
    registry.faults.set({ status: 429, retryAfter: '7', match: /manifests/, times: 2 });
    for (const expected of [429, 429, 200]) {
      const response = await fetch(manifestUrl(name, '1'), { headers: accept });
      expect(response.status).toBe(expected);
      expect(response.headers.get('retry-after')).toBe(expected === 429 ? '7' : null);
      await response.text();
    }
    expect(registry.requests.map((request) => request.status)).toEqual([429, 429, 200]);
  });

  test('cuts before the answer and in the middle of a body', async () => {
    registry.faults.set({ cutAfterBytes: 0, times: 1 });
    await expect(fetch(manifestUrl(name, '1'), { headers: accept })).rejects.toThrow();
    registry.faults.set({ cutAfterBytes: 20, times: 1 });
    const cut = await fetch(manifestUrl(name, '1'), { headers: accept });
    await expect(cut.text()).rejects.toThrow();
  });

  test('hangs until the client gives up, and delays', async () => {
    registry.faults.set({ hang: true, times: 1 });
    await expect(fetch(manifestUrl(name, '1'), { signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/);
    registry.faults.set({ delayMs: 60_000, match: /manifests\/late/ });
    const late = fetch(manifestUrl(name, 'late'), { signal: AbortSignal.timeout(1_000) });
    late.catch(() => {});
    expect((await fetch(manifestUrl(name, '1'), { headers: accept })).status).toBe(200);
    await expect(late).rejects.toThrow(/timeout/);
  });

  test('lies about the digest, or says none', async () => {
    const image = await images.sleeper();
    const digest = async () =>
      (await fetch(manifestUrl(name, '1'), { method: 'HEAD', headers: accept })).headers.get('docker-content-digest');
    registry.faults.set({ wrongDigest: true, times: 1 });
    expect(await digest()).toBe(`sha256:${'0'.repeat(64)}`);
    registry.faults.set({ noDigest: true, times: 1 });
    expect(await digest()).toBeNull();
    expect(await digest()).toBe(image.digest);
  });
});
