import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  images,
  pushImage,
  sharedEngine,
  sharedRegistry,
  startRegistry,
  type TestEngine,
  type TestRegistry,
  uniqueName,
  waitFor,
} from '@evenkeel/testbed';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { containersOf, type DetectionBench, startDetection } from './detection-bench.ts';

let engine: TestEngine;
let registry: TestRegistry;
let bench: DetectionBench;
let containers: ReturnType<typeof containersOf>;
beforeAll(async () => {
  engine = await sharedEngine();
  registry = await sharedRegistry();
  containers = containersOf(engine);
  bench = await startDetection(engine);
});
afterEach(() => registry.faults.clear());
afterAll(async () => {
  await bench?.stop();
  await containers?.remove();
  await registry?.stop();
  await engine?.stop();
});

const heads = (from: TestRegistry) => from.requests.filter(({ method }) => method === 'HEAD').map(({ path }) => path);
const image = (version: string, more: object = {}) => images.sleeper({ version, ...more });

describe('a registry with authentication', () => {
  async function guarded(options: Parameters<typeof startRegistry>[0]) {
    const own = await startRegistry(options);
    const { username, password } = own.credentials ?? { username: '', password: '' };
    await engine.docker('login', '--username', username, '--password', password, own.host);
    const names: string[] = [];
    for (const repository of ['x', 'y', 'z']) {
      const { reference } = await pushImage(own, repository, '1', await image(repository));
      names.push(await containers.create(reference));
    }
    await engine.docker('logout', own.host);
    own.resetCounts();
    return { own, names, username, password };
  }

  test('by Basic: asked with the stored credentials; without or with wrong ones it says so', async () => {
    const { own, names, username, password } = await guarded({ auth: 'basic' });
    try {
      await bench.check(names);
      expect(await bench.update(names[0] ?? '')).toMatchObject({
        state: 'unknown',
        reason: expect.stringContaining('asks for credentials'),
      });
      const { id } = bench.registries.add({
        host: own.host,
        username,
        password: 'wrong',
        insecure: false,
        tokenHosts: [],
      });
      await bench.check(names);
      expect(await bench.update(names[1] ?? '')).toMatchObject({
        state: 'unknown',
        reason: expect.stringContaining('refused the stored credentials'),
      });
      expect(await bench.registries.test(id, AbortSignal.timeout(30_000))).toMatchObject({ ok: false });
      bench.registries.change(id, { password });
      expect(await bench.registries.test(id, AbortSignal.timeout(30_000))).toMatchObject({ ok: true });
      own.resetCounts();
      await bench.check(names);
      for (const name of names) expect((await bench.update(name)).state).toBe('up-to-date');
      expect(own.requests).toHaveLength(3);
      expect(await bench.registries.pullAuth(own.host)).toMatchObject({ username, password });
    } finally {
      await own.stop();
    }
  });

  test('by token: credentials go to the named token service only, and one token serves all', async () => {
    const { own, names, username, password } = await guarded({ auth: 'token', tokenField: 'access_token' });
    try {
      const challenge = (await fetch(`${own.url}/v2/`)).headers.get('www-authenticate') ?? '';
      const realm = new URL(/realm="([^"]+)"/.exec(challenge)?.[1] ?? '');
      const { id } = bench.registries.add({ host: own.host, username, password, insecure: false, tokenHosts: [] });
      own.resetCounts();
      await bench.check(names);
      expect(await bench.update(names[0] ?? '')).toMatchObject({
        state: 'unknown',
        reason: expect.stringContaining(realm.host),
      });
      expect(own.tokenRequests.every((one) => one.username === undefined)).toBe(true);
      bench.registries.change(id, { tokenHosts: [realm.host], password });
      own.resetCounts();
      await bench.check(names);
      for (const name of names) expect((await bench.update(name)).state).toBe('up-to-date');
      expect(own.tokenRequests).toMatchObject([
        { username, scopes: expect.arrayContaining(['repository:x:pull', 'repository:y:pull', 'repository:z:pull']) },
      ]);
      // The registry takes the token back before its time: it is bought anew, once for all that use it.
      own.resetCounts();
      own.faults.set({ match: /HEAD/, status: 401, headers: { 'www-authenticate': challenge }, times: 1 });
      await bench.check(names);
      for (const name of names) expect((await bench.update(name)).state).toBe('up-to-date');
      expect(own.tokenRequests).toMatchObject([{ username, status: 200 }]);
    } finally {
      await own.stop();
    }
  });
});

describe('a registry on this machine', () => {
  test('is asked only when somebody has named it: by an entry, or in the docker configuration', async () => {
    const own = await startRegistry({ auth: 'basic' });
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-docker-'));
    const dockerConfigFile = join(folder, 'config.json');
    const strict = await startDetection(engine, { insecureHosts: [], dockerConfigFile, helperSearchPath: folder });
    const { username, password } = own.credentials ?? { username: '', password: '' };
    try {
      await engine.docker('login', '--username', username, '--password', password, own.host);
      const { reference } = await pushImage(own, 'named', '1', await image('named'));
      const name = await containers.create(reference);
      await engine.docker('logout', own.host);
      own.resetCounts();
      const state = async () => {
        await strict.check([name]);
        return strict.update(name);
      };
      const refusal = { state: 'unknown', reason: expect.stringContaining('loopback') };
      expect(await state()).toMatchObject(refusal);
      expect(own.requests).toEqual([]);

      const auth = Buffer.from(`${username}:${password}`).toString('base64');
      writeFileSync(dockerConfigFile, JSON.stringify({ auths: { [own.host]: { auth } } }));
      expect((await state()).state).toBe('up-to-date');

      rmSync(dockerConfigFile);
      own.resetCounts();
      expect(await state()).toMatchObject({ ...refusal, lastGoodState: 'up-to-date' });
      expect(own.requests).toEqual([]);

      writeFileSync(dockerConfigFile, JSON.stringify({ credHelpers: { [own.host]: 'testbed' } }));
      expect(await state()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('"testbed"') });
      const said = JSON.stringify({ ServerURL: own.host, Username: username, Secret: password });
      const program = join(folder, 'docker-credential-vault');
      writeFileSync(program, `#!/bin/sh\ncat > /dev/null\necho '${said}'\n`, { mode: 0o755 });
      writeFileSync(dockerConfigFile, JSON.stringify({ auths: { [own.host]: {} }, credsStore: 'vault' }));
      expect((await state()).state).toBe('up-to-date');

      rmSync(dockerConfigFile);
      const { id } = strict.registries.add({ host: own.host, username, password, insecure: false, tokenHosts: [] });
      expect((await state()).state).toBe('up-to-date');
      strict.registries.remove(id);
      own.resetCounts();
      expect(await state()).toMatchObject(refusal);
      expect(own.requests).toEqual([]);
    } finally {
      await strict.stop();
      await own.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a registry on a bad day', () => {
  async function watched(label: string, reg = registry) {
    const repository = uniqueName(label);
    const { reference } = await pushImage(reg, repository, '1', await image('1'));
    const name = await containers.create(reference);
    await pushImage(reg, repository, '1', await image('2', { env: [`D=${label}`] }));
    await bench.check([name]);
    expect((await bench.update(name)).state).toBe('digest-update');
    return { name, repository, match: new RegExp(repository) };
  }

  test('that answers 429 with Retry-After is given the time, and the answer comes', async () => {
    const { name, match } = await watched('later');
    registry.resetCounts();
    registry.faults.set({ match, status: 429, retryAfter: '1', times: 1 });
    await bench.check([name]);
    expect((await bench.update(name)).state).toBe('digest-update');
    expect(heads(registry)).toHaveLength(2);
  });

  test('that answers 500, cuts the connection or asks for an hour of peace leaves the known update standing', async () => {
    const own = await startRegistry();
    try {
      const { name } = await watched('sick', own);
      for (const fault of [
        { status: 500 as const },
        { cutAfterBytes: 0 },
        { status: 429 as const, retryAfter: '3600' },
      ]) {
        own.faults.clear();
        own.faults.set(fault);
        await bench.check([name]);
        const update = await bench.update(name);
        expect(update).toMatchObject({
          state: 'unknown',
          lastGoodState: 'digest-update',
          candidates: [{ blocked: null }],
        });
        expect(update.lastGoodAt).not.toBeNull();
        expect(bench.updates.choose('one', update.container, undefined).candidate.tag).toBe('1');
        if ('retryAfter' in fault) continue;
        own.faults.clear();
        await bench.check([name]);
        expect((await bench.update(name)).state).toBe('digest-update');
      }
      expect(bench.registries.client.health(own.host)).toMatchObject({ state: 'cooling-down' });
      const asked = own.requests.length;
      own.faults.clear();
      await bench.check([name]);
      expect(own.requests).toHaveLength(asked);
    } finally {
      await own.stop();
    }
  });

  test('that is slow is waited for', async () => {
    const { name, match } = await watched('slow');
    registry.faults.set({ match, delayMs: 1500 });
    await bench.check([name]);
    expect((await bench.update(name)).state).toBe('digest-update');
  });

  test('that is gone is unknown, with the last good answer', async () => {
    const own = await startRegistry();
    const { name } = await watched('dead', own);
    await own.stop();
    await bench.check([name]);
    expect(await bench.update(name)).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('refuses connections'),
      lastGoodState: 'digest-update',
    });
    expect(bench.registries.client.health(own.host).state).toBe('sick');
  });

  test('with a certificate that nobody trusts is refused until its authority is stored', async () => {
    const own = await startRegistry({ tls: true });
    try {
      const { reference } = await pushImage(own, 'tls', '1', await image('tls'));
      const name = await containers.create(reference);
      await bench.check([name]);
      expect(await bench.update(name)).toMatchObject({
        state: 'unknown',
        reason: expect.stringContaining('certificate'),
      });
      const caCertificate = own.certificate ?? '';
      bench.registries.add({ host: own.host, caCertificate, insecure: false, tokenHosts: [] });
      await bench.check([name]);
      expect((await bench.update(name)).state).toBe('up-to-date');
    } finally {
      await own.stop();
    }
  });

  test('that never answers ends, and delays no other', async () => {
    const hanging = await startRegistry();
    const impatient = await startDetection(engine, { timeoutMilliseconds: 8000 });
    try {
      const stuck: string[] = [];
      for (let index = 0; index < 4; index += 1) {
        const { reference } = await pushImage(hanging, `r${index}`, '1', await image('1'));
        stuck.push(await containers.create(reference));
      }
      const { reference } = await pushImage(registry, uniqueName('well'), '1', await image('1'));
      const well = await containers.create(reference);
      hanging.faults.set({ hang: true });
      const operation = await impatient.begin([...stuck, well]);
      await waitFor(() => impatient.entry(well)?.state === 'up-to-date', {
        describe: 'the answer of the healthy registry',
      });
      expect(stuck.map((name) => impatient.entry(name)?.checking)).toEqual([true, true, true, true]);
      await waitFor(() => stuck.every((name) => impatient.entry(name)?.checking === false), {
        timeoutMs: 60_000,
        describe: `the check ${operation.id} to end`,
      });
      expect(impatient.entry(stuck[0] ?? '')).toMatchObject({
        state: 'unknown',
        reason: expect.stringContaining('did not answer'),
      });
    } finally {
      await impatient.stop();
      await hanging.stop();
    }
  });
});
