import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildImage,
  deleteTag,
  images,
  loadImage,
  pushImage,
  pushIndex,
  sharedEngine,
  sharedRegistry,
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
const gets = (from: TestRegistry) => from.requests.filter(({ method }) => method === 'GET').map(({ path }) => path);
const image = (version: string, more: object = {}) => images.sleeper({ version, ...more });

describe('the digest of a tag', () => {
  test('one HEAD for each distinct reference and no GET when nothing moved, over two hosts and many containers', async () => {
    const repositories = [uniqueName('a'), uniqueName('b'), uniqueName('c')];
    const names: string[] = [];
    for (const repository of repositories) {
      const { reference } = await pushImage(registry, repository, '1.0.0', await image(repository));
      for (let copy = 0; copy < 3; copy += 1) names.push(await containers.create(reference, {}, copy === 0));
    }
    registry.resetCounts();
    const operation = await bench.check(names);
    expect(operation).toMatchObject({ state: 'succeeded', summary: expect.stringContaining('3 references') });
    expect(heads(registry).toSorted()).toEqual(repositories.map((one) => `/v2/${one}/manifests/1.0.0`).toSorted());
    expect(gets(registry)).toEqual([]);
    for (const name of names) {
      expect((await bench.update(name)).state).toBe('up-to-date');
      expect(bench.entry(name, 'two')?.state).toBe('up-to-date');
    }
  });

  test('that moved is an update with all that is known of it, and is fetched once', async () => {
    const repository = uniqueName('moved');
    const old = await pushImage(registry, repository, '1.0', await image('1.0.0', { env: ['A=1'] }));
    const name = await containers.create(old.reference);
    const next = await pushImage(registry, repository, '1.0', await image('1.0.1', { env: ['A=2'], user: 'app' }));
    registry.resetCounts();
    await bench.check([name]);
    const update = await bench.update(name);
    expect(update).toMatchObject({
      state: 'digest-update',
      watched: true,
      checking: false,
      running: { version: '1.0.0', tag: '1.0' },
    });
    expect(update.candidates).toHaveLength(1);
    expect(update.candidates[0]).toMatchObject({
      id: `1.0@${next.digest}`,
      level: 'digest',
      imageId: next.imageId,
      version: '1.0.1',
      downloadBytes: 0,
      blocked: null,
      configChanges: [
        { field: 'user', from: null, to: 'app' },
        { field: 'env.A', from: '1', to: '2' },
      ],
    });
    expect(gets(registry)).toHaveLength(2);
    registry.resetCounts();
    await bench.check([name]);
    expect([heads(registry).length, gets(registry).length]).toEqual([1, 0]);
    const chosen = bench.updates.choose('one', update.container, undefined);
    expect(chosen).toMatchObject({
      image: old.reference,
      pullReference: `${registry.host}/${repository}@${next.digest}`,
    });
  });

  test('without the digest header is found by hashing', async () => {
    const repository = uniqueName('nodigest');
    const { reference } = await pushImage(registry, repository, '1', await image('1'));
    const name = await containers.create(reference);
    registry.faults.set({ match: new RegExp(repository), noDigest: true });
    await bench.check([name]);
    expect((await bench.update(name)).state).toBe('up-to-date');
  });

  test('pulled by hand is shown as that a moment later, without a check and without a question', async () => {
    const repository = uniqueName('pulled');
    const { reference } = await pushImage(registry, repository, 'stable', await image('1'));
    const name = await containers.create(reference);
    await bench.check([name]);
    expect((await bench.update(name)).state).toBe('up-to-date');
    const next = await pushImage(registry, repository, 'stable', await image('2'));
    await engine.docker('pull', '--quiet', reference);
    registry.resetCounts();
    const pulled = { state: 'pulled-not-applied', candidates: [{ digest: next.digest, blocked: null }] };
    for (const host of ['one', 'two']) {
      await waitFor(() => bench.entry(name, host)?.state === 'pulled-not-applied', {
        describe: `the pull to be seen on the host ${host}`,
      });
      expect(bench.entry(name, host)).toMatchObject(pulled);
    }
    expect(registry.requests).toEqual([]);
    await bench.check([name]);
    expect(await bench.update(name)).toMatchObject({
      ...pulled,
      candidates: [{ digest: next.digest, imageId: next.imageId, downloadBytes: 0 }],
    });
  });

  test('that was pushed and pulled after the last answer is never turned into a downgrade', async () => {
    const repository = uniqueName('late');
    const { reference } = await pushImage(registry, repository, '1', await image('1'));
    const old = await containers.create(reference);
    await bench.check([old]);
    await pushImage(registry, repository, '1', await image('2', { env: ['LATE=1'] }));
    const fresh = await containers.create(reference);
    expect(await bench.update(fresh)).toMatchObject({ state: 'unknown', candidates: [] });
    await bench.check([fresh]);
    expect((await bench.update(fresh)).state).toBe('up-to-date');
    expect((await bench.update(old)).state).toBe('pulled-not-applied');
  });

  test('of a tag that is gone is gone, not up to date', async () => {
    const repository = uniqueName('gone');
    const { reference } = await pushImage(registry, repository, '1.0.0', await image('1'));
    const name = await containers.create(reference);
    await deleteTag(registry, repository, '1.0.0');
    await bench.check([name]);
    expect(await bench.update(name)).toMatchObject({
      state: 'gone',
      reason: expect.stringContaining('no longer knows'),
    });
  });

  test('is not asked for where the image is local or pinned by digest alone; a moved tag of a pinned one is told', async () => {
    const reference = `${uniqueName('built')}:latest`;
    await loadImage(engine, await image('local', { env: [`X=${reference}`] }), reference);
    const local = await containers.create(reference, {}, false);
    const repository = uniqueName('pin');
    const pushed = await pushImage(registry, repository, '1', await image('1'));
    const pinned = await containers.create(`${registry.host}/${repository}@${pushed.digest}`);
    const both = await containers.create(`${registry.host}/${repository}:1@${pushed.digest}`);
    registry.resetCounts();
    await bench.check([local, pinned]);
    expect(registry.requests).toEqual([]);
    expect((await bench.update(local)).state).toBe('local');
    expect((await bench.update(pinned)).state).toBe('pinned');
    await bench.check([both]);
    expect((await bench.update(both)).state).toBe('pinned');
    await pushImage(registry, repository, '1', await image('2'));
    await bench.check([both]);
    const moved = await bench.update(both);
    expect(moved).toMatchObject({ state: 'pinned-tag-moved', candidates: [] });
    expect(() => bench.updates.choose('one', moved.container, undefined)).toThrow(
      expect.objectContaining({ code: 'not_updatable' }),
    );
    await engine.cli('rm', '--force', local);
    await engine.cli('rmi', reference);
  });
});

describe('indexes', () => {
  test('of which another platform moved are no update; the own one is', async () => {
    const repository = uniqueName('multi');
    const own = await image('1');
    const arm = (version: string) => buildImage({ version, platform: 'linux/arm64', env: [version] });
    const { reference } = await pushIndex(registry, repository, '1', [
      { platform: 'linux/amd64', image: own },
      { platform: 'linux/arm64', image: await arm('1') },
    ]);
    const name = await containers.create(reference);
    await bench.check([name]);
    expect((await bench.update(name)).state).toBe('up-to-date');
    const entries = [
      { platform: 'linux/arm64', image: await arm('2') },
      { platform: 'linux/amd64', image: own },
    ];
    await pushIndex(registry, repository, '1', entries, { attestations: true });
    await bench.check([name]);
    expect(await bench.update(name)).toMatchObject({ state: 'index-only-change', candidates: [] });
    const next = await image('2', { env: ['NEW=1'] });
    const moved = await pushIndex(
      registry,
      repository,
      '1',
      [
        { platform: 'linux/arm64', image: await arm('2') },
        { platform: 'linux/amd64', image: next },
      ],
      { attestations: true, oci: true },
    );
    await bench.check([name]);
    expect(await bench.update(name)).toMatchObject({
      state: 'digest-update',
      candidates: [{ digest: moved.digest, platformDigest: next.digest, imageId: next.imageId }],
    });
  });

  test('inside indexes are followed', async () => {
    const repository = uniqueName('nested');
    const own = await image('1');
    const { reference } = await pushImage(registry, repository, '1', own);
    const name = await containers.create(reference);
    await pushIndex(registry, repository, '1', [{ platform: 'linux/amd64', image: own }], { nested: 2, oci: true });
    await bench.check([name]);
    expect((await bench.update(name)).state).toBe('index-only-change');
    const next = await image('2', { env: ['NESTED=1'] });
    await pushIndex(registry, repository, '1', [{ platform: 'linux/amd64', image: next }], { nested: 2, oci: true });
    await bench.check([name]);
    expect(await bench.update(name)).toMatchObject({
      state: 'digest-update',
      candidates: [{ platformDigest: next.digest }],
    });
  });

  test('without the own platform are not proposed', async () => {
    const repository = uniqueName('armonly');
    const { reference } = await pushImage(registry, repository, '1.0.0', await image('1'));
    const name = await containers.create(reference, { 'evenkeel.tags': 'true' });
    const arm = await buildImage({ version: '9', platform: 'linux/arm64', env: ['ARM=1'] });
    await pushIndex(registry, repository, '1.2.0', [{ platform: 'linux/arm64', image: arm }]);
    await pushImage(registry, repository, '1.1.0', await image('1.1.0', { env: ['B=1'] }));
    await bench.check([name]);
    const update = await bench.update(name);
    expect(update).toMatchObject({
      state: 'tag-update',
      candidates: [
        { tag: '1.1.0', blocked: null },
        { tag: '1.2.0', blocked: { code: 'platform-missing' } },
      ],
    });
  });
});

describe('newer tags', () => {
  test('are found within the family only, each with its level, and only where they are wanted', async () => {
    const repository = uniqueName('family');
    const { reference } = await pushImage(registry, repository, '1.0.0', await image('1.0.0'));
    const others = [
      '1.0.1',
      '1.1.0',
      '2.0.0',
      '3.0.0-rc1',
      '3.0.0-alpine',
      '3.0.0-arm64v8',
      '2024.1.1',
      '20240101',
      '8a3f1c2',
      'latest',
      '4',
    ];
    for (const tag of others) await pushImage(registry, repository, tag, await image(tag, { env: [`T=${tag}`] }));
    const plain = await containers.create(reference);
    const wants = await containers.create(reference, { 'wud.tag.include': '^\\d+\\.\\d+\\.\\d+$' }, false);
    const minor = await containers.create(reference, { 'evenkeel.tags': 'true', 'evenkeel.level': 'minor' }, false);
    registry.resetCounts();
    await bench.check([plain]);
    expect(registry.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `HEAD /v2/${repository}/manifests/1.0.0`,
    ]);
    await bench.check([plain, wants, minor]);
    const shown = async (name: string) =>
      (await bench.update(name)).candidates.map(
        ({ tag, level, blocked }) => `${tag} ${level}${blocked ? ` ${blocked.code}` : ''}`,
      );
    expect(await shown(plain)).toEqual([]);
    expect(await shown(wants)).toEqual(['2.0.0 major', '1.1.0 minor', '1.0.1 patch']);
    expect(await shown(minor)).toEqual(['1.1.0 minor', '1.0.1 patch', '2.0.0 major level']);
    await bench.check([plain], true);
    expect((await bench.update(plain)).state).toBe('tag-update');
  });

  test('that were rolled back are not proposed again; what comes next is', async () => {
    const repository = uniqueName('bad');
    const { reference } = await pushImage(registry, repository, '1.0.0', await image('1'));
    await pushImage(registry, repository, '1.0.1', await image('1.0.1', { env: ['R=1'] }));
    const name = await containers.create(reference, { 'evenkeel.tags': 'true' });
    await bench.check([name]);
    const [bad] = (await bench.update(name)).candidates;
    if (bad === undefined) throw new Error('no candidate');
    bench.updates.quarantine({
      host: 'one',
      name,
      candidateId: bad.id,
      digest: bad.digest,
      reason: 'It exited with 1.',
    });
    const held = await bench.update(name);
    expect(held.candidates[0]).toMatchObject({ tag: '1.0.1', blocked: { code: 'quarantined' } });
    expect(() => bench.updates.choose('one', held.container, undefined)).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
    expect(bench.entry(name, 'two')?.candidates[0]?.blocked).toBeNull();
    await pushImage(registry, repository, '1.0.2', await image('1.0.2', { env: ['R=2'] }));
    await bench.check([name]);
    expect(bench.updates.choose('one', held.container, undefined).candidate.tag).toBe('1.0.2');
  });
});

describe('without a question', () => {
  test('a restart shows the last answers at once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-detection-'));
    const repository = uniqueName('kept');
    const { reference } = await pushImage(registry, repository, '1', await image('1'));
    const name = await containers.create(reference);
    const next = await pushImage(registry, repository, '1', await image('2', { env: ['KEPT=1'] }));
    try {
      const first = await startDetection(engine, { folder });
      await first.check([name]);
      await first.stop();
      registry.resetCounts();
      const second = await startDetection(engine, { folder });
      expect(await second.update(name)).toMatchObject({
        state: 'digest-update',
        candidates: [{ digest: next.digest }],
      });
      expect(registry.requests).toEqual([]);
      await second.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a container that is renamed, replaced or removed takes its entry along', async () => {
    const repository = uniqueName('follow');
    const { reference } = await pushImage(registry, repository, '1', await image('1'));
    const name = await containers.create(reference);
    await pushImage(registry, repository, '1', await image('2', { env: ['F=1'] }));
    await bench.check([name]);
    const before = await bench.update(name);
    registry.resetCounts();
    const renamed = uniqueName('detect');
    await engine.docker('rename', name, renamed);
    await waitFor(() => bench.entry(renamed)?.state === 'digest-update', {
      describe: 'the entry to follow the rename',
    });
    await engine.docker('rm', renamed);
    await waitFor(() => bench.updates.collection.get(before.key) === undefined, { describe: 'the entry to go' });
    await engine.docker('pull', '--quiet', reference);
    registry.resetCounts();
    await containers
      .create(reference, {}, false)
      .then((again) =>
        waitFor(() => bench.entry(again)?.state === 'up-to-date', { describe: 'the replacement to be up to date' }),
      );
    expect(registry.requests).toEqual([]);
  });

  test('what appears is checked soon, once, by itself', async () => {
    const repository = uniqueName('fresh');
    const { reference } = await pushImage(registry, repository, '1', await image('1'));
    const eager = await startDetection(engine, {
      settings: { checkEveryMinutes: 360, watchByDefault: false },
      soonMilliseconds: 200,
    });
    try {
      await engine.docker('pull', '--quiet', reference);
      registry.resetCounts();
      const label = { 'evenkeel.watch': 'true' };
      const names = [
        await containers.create(reference, label, false),
        await containers.create(reference, label, false),
      ];
      await waitFor(() => names.every((name) => eager.entry(name)?.state === 'up-to-date'), {
        describe: 'the new containers to be checked',
      });
      expect(heads(registry)).toEqual([`/v2/${repository}/manifests/1`]);
    } finally {
      await eager.stop();
    }
  });
});
