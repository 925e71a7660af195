import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSettings } from '@evenkeel/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../platform/log/create-log.ts';
import type { RegistryClient } from '../platform/registry/registry-client.ts';
import { openStore, type Store } from '../platform/store/store.ts';
import { type Answers, createAnswers } from './answers.ts';
import { askReference } from './check.ts';
import { createPolicyReader } from './policy.ts';
import type { Asker } from './question.ts';
import { parseReference } from './reference.ts';
import { configOf, indexOf, plainImage, scriptedRegistry as registry } from './scripted-registry.ts';
import { updatesMigrations } from './updates-migrations-store.ts';
import { createUpdatesStore } from './updates-store.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(digest) as [string, string, string, string];
const hour = 3_600_000;
let now = 1_000 * hour;
const clock = { now: () => now, sleep: async () => {} };
let folder: string;
let store: Store;
let answers: Answers;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-check-'));
  store = await openStore(join(folder, 'db.sqlite'), { migrations: updatesMigrations });
  answers = createAnswers({ store: createUpdatesStore(store), clock, log: silentLog() });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function ask(
  client: RegistryClient,
  options: {
    minimumAgeHours?: number;
    labels?: Record<string, string>;
    tag?: string;
    asker?: Partial<Asker>;
    others?: readonly Partial<Asker>[];
    signsIn?: boolean;
  } = {},
) {
  const tag = options.tag ?? '1.0.0';
  const parsed = parseReference(`nginx:${tag}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  const policy = createPolicyReader()(options.labels ?? {}, defaultSettings);
  const asker: Asker = {
    key: 'one/web',
    platform: 'linux/amd64',
    named: null,
    policy,
    tags: policy.tags,
    runs: (one) => one === a,
    ownDigest: undefined,
    ...options.asker,
  };
  const question = {
    key: `docker.io/library/nginx:${tag}`,
    reference: parsed.reference,
    tag,
    askers: [asker, ...(options.others ?? []).map((other) => ({ ...asker, ...other }))],
    away: {},
    tags: policy.tags,
  };
  const parts = {
    client,
    answers,
    clock,
    minimumAgeHours: options.minimumAgeHours ?? 0,
    signsIn: async () => options.signsIn ?? false,
  };
  return askReference(parts, question, new AbortController().signal).then(() => answers.of(question.key));
}

describe('asking for a reference', () => {
  it('fetches nothing when the running image is the newest', async () => {
    const { client, asked } = registry({ '1.0.0': a });
    expect(await ask(client)).toMatchObject({ digest: a, goodAt: now, failure: null });
    expect(asked).toEqual(['HEAD 1.0.0']);
  });

  it('that fails keeps the good answer and notes why', async () => {
    await ask(registry({ '1.0.0': b }).client);
    const before = now;
    now += hour;
    expect(await ask(registry({ '1.0.0': 'sick' }).client)).toMatchObject({
      digest: b,
      goodAt: before,
      askedAt: now,
      failureKind: 'sick',
      failure: expect.stringContaining('out of order'),
    });
  });

  it('looks at the best tag, the best of the major and the best of the minor number, and skips a vanished one', async () => {
    const list = ['1.0.0', '1.0.1', '1.0.2', '1.1.0', '1.2.0', '2.0.0', '2.1.0'];
    const { client, asked } = registry({ '1.0.0': a, '1.0.2': b, '1.2.0': b, '2.0.0': c }, list);
    const { picks } = await ask(client, { labels: { 'evenkeel.tags': 'true' } });
    expect(picks.map(({ tag }) => tag).toSorted()).toEqual(['1.0.2', '1.2.0', '2.0.0']);
    expect(asked).not.toContain('HEAD 1.0.1');
  });

  it('goes down the list where the best tags lack the platform, and says where it stops', async () => {
    const list = Array.from({ length: 14 }, (_, index) => `1.${index}.0`);
    const reg = registry(Object.fromEntries(list.map((tag, index) => [tag, digest((index + 1).toString(16))])), list);
    reg.tags['1.0.0'] = a;
    for (let minor = 5; minor < 14; minor += 1) {
      reg.manifests[reg.tags[`1.${minor}.0`] ?? ''] = indexOf({ 'linux/arm64': digest('f') });
    }
    const tags = { labels: { 'evenkeel.tags': 'true' }, tag: '1.0.0' };
    const answer = await ask(reg.client, tags);
    expect(answer.picks.map(({ tag }) => tag)).toContain('1.4.0');
    expect(answer.askers['one/web']).toMatchObject({ tags: true, tagsNote: null });
    for (let minor = 1; minor < 14; minor += 1) {
      const own = digest('e').replace('ee', `${minor}`.padStart(2, '0'));
      reg.tags[`1.${minor}.0`] = own;
      reg.manifests[own] = indexOf({ 'linux/arm64': digest('f') });
    }
    const none = await ask(reg.client, tags);
    expect(none.askers['one/web']?.tagsNote).toContain('10 newest tags');
  });

  it('leaves out a tag that cannot be understood, and a chart that is no image, with all others looked at', async () => {
    const reg = registry({ '1.0.0': a, '1.1.0': b, '1.2.0': 'broken', '1.3.0': c, '1.4.0': d }, [
      '1.1.0',
      '1.2.0',
      '1.3.0',
      '1.4.0',
    ]);
    reg.failing[c] = 'broken';
    reg.manifests[d] = plainImage(d, 'application/vnd.cncf.helm.config.v1+json');
    const answer = await ask(reg.client, { labels: { 'evenkeel.tags': 'true' } });
    expect(answer.tagsFailure).toBeNull();
    expect(answer.picks.map(({ tag }) => tag)).toEqual(['1.4.0', '1.1.0']);
    expect(answers.image('docker.io/library/nginx', d, 'linux/amd64')?.platformDigest).toBeNull();
    expect(answer.askers['one/web']?.tagsNote).toContain('1.3.0');
  });

  it('keeps the tags that were the best before in sight until one is old enough, where releases come faster than that', async () => {
    const reg = registry({ '1.0.0': a }, ['1.0.0']);
    const options = { labels: { 'evenkeel.tags': 'true' }, minimumAgeHours: 24 * 5 };
    const ripe: string[] = [];
    for (let day = 1; day <= 9; day += 1) {
      reg.tags[`1.0.${day}`] = digest(`${day}`);
      reg.list = [...(reg.list ?? []), `1.0.${day}`];
      const { picks } = await ask(reg.client, options);
      const known = picks.filter(({ tag, digest: name }) => {
        const seen = answers.history('docker.io/library/nginx', tag, 'linux/amd64').find((one) => one.digest === name);
        return seen !== undefined && seen.firstSeenAt <= now - 5 * 24 * hour;
      });
      ripe.push(known.map(({ tag }) => tag).join());
      now += 24 * hour;
    }
    expect(ripe).toEqual(['', '', '', '', '', '1.0.1', '1.0.2', '1.0.3', '1.0.4']);
  });

  it('reads a list of tags that is missing although the tag exists as a failure', async () => {
    const reg = registry({ '1.0.0': a }, ['1.0.0']);
    reg.list = undefined;
    const answer = await ask(reg.client, { labels: { 'evenkeel.tags': 'true' } });
    expect(answer.tagsFailure).toContain('no list of its tags');
    expect(answer.askers['one/web']?.tags).toBe(false);
  });

  it('notes for whom it asked, and only with a good answer', async () => {
    const reg = registry({ '1.0.0': a });
    await ask(reg.client, { asker: { named: b } });
    reg.tags['1.0.0'] = 'sick';
    const answer = await ask(reg.client, { asker: { named: c }, others: [{ key: 'two/late' }] });
    expect(answer.askers).toEqual({ 'one/web': { named: b, tags: false, tagsNote: null } });
  });

  it('keeps what HEAD proved where one of two platforms cannot be read', async () => {
    const child = digest('d');
    const reg = registry({ '1.0.0': b });
    reg.manifests[b] = indexOf({ 'linux/amd64': c, 'linux/arm64': child });
    reg.failing[child] = 'sick';
    const answer = await ask(reg.client, { others: [{ key: 'one/arm', platform: 'linux/arm64' }] });
    expect(answer).toMatchObject({ digest: b, goodAt: now, failure: null });
    expect(answer.unread).toEqual({ 'linux/arm64': expect.stringContaining('out of order') });
    expect(answers.image('docker.io/library/nginx', b, 'linux/amd64')?.platformDigest).toBe(c);
    expect(answers.history('docker.io/library/nginx', '1.0.0', 'linux/arm64')).toMatchObject([{ digest: b }]);
  });

  it('knows an image of an index whose configuration cannot be read, and reads that again', async () => {
    const reg = registry({ '1.0.0': b });
    reg.manifests[b] = indexOf({ 'linux/amd64': c });
    reg.failing[configOf(c)] = 'broken';
    await ask(reg.client);
    const image = () => answers.image('docker.io/library/nginx', b, 'linux/amd64');
    expect(image()).toMatchObject({
      platformDigest: c,
      imageId: configOf(c),
      unread: expect.stringContaining('order'),
    });
    delete reg.failing[configOf(c)];
    await ask(reg.client);
    expect(image()).toMatchObject({ unread: null, diffIds: ['layer'] });
  });

  it('asks for each platform and each policy of its askers', async () => {
    const reg = registry({ '1.0.0': b, '1.1.0': c, '2.0.0-rc1': d }, ['1.1.0', '2.0.0-rc1']);
    reg.manifests[b] = indexOf({ 'linux/amd64': digest('1'), 'linux/arm64': digest('2') });
    reg.manifests[c] = indexOf({ 'linux/arm64': digest('3') });
    const read = createPolicyReader();
    const eager = read({ 'evenkeel.tags': 'true', 'evenkeel.prereleases': 'true' }, defaultSettings);
    const answer = await ask(reg.client, {
      labels: { 'evenkeel.tags': 'true' },
      others: [
        { key: 'two/arm', platform: 'linux/arm64' },
        { key: 'two/eager', policy: eager },
        { key: 'two/quiet', tags: false },
      ],
    });
    expect(answer.picks.map(({ tag }) => tag).toSorted()).toEqual(['1.1.0', '2.0.0-rc1']);
    const told = Object.entries(answer.askers).map(([key, { tags }]) => [key, tags]);
    expect(Object.fromEntries(told)).toEqual({
      'one/web': true,
      'two/arm': true,
      'two/eager': true,
      'two/quiet': false,
    });
    const repository = 'docker.io/library/nginx';
    expect(answers.image(repository, c, 'linux/amd64')?.platformDigest).toBeNull();
    expect(answers.image(repository, c, 'linux/arm64')?.platformDigest).toBe(digest('3'));
  });

  it('that is denied says whether we had signed in', async () => {
    expect(await ask(registry({ '1.0.0': 'denied' }).client)).toMatchObject({ failureKind: 'denied', signedIn: false });
    expect(await ask(registry({ '1.0.0': 'denied' }).client, { signsIn: true })).toMatchObject({ signedIn: true });
    expect(await ask(registry({ '1.0.0': a }).client, { signsIn: true })).toMatchObject({ signedIn: false });
  });

  it('reads a limited number of manifests, whatever an index holds', async () => {
    const reg = registry({ '1.0.0': b });
    const nested = Array.from({ length: 5000 }, (_, index) => ({
      mediaType: 'application/vnd.oci.image.index.v1+json',
      digest: `sha256:${index.toString(16).padStart(64, '0')}`,
      size: 1,
    }));
    reg.manifests[b] = { kind: 'index', mediaType: '', manifests: nested };
    for (const { digest: name } of nested) reg.manifests[name] = indexOf({});
    const answer = await ask(reg.client);
    expect(answer.unread['linux/amd64']).toContain('more than 32');
    expect(reg.asked.length).toBeLessThan(40);
  });

  it('asks for no tags of a tag without a version', async () => {
    const { client, asked } = registry({ latest: a }, ['2.0.0']);
    await ask(client, { tag: 'latest', labels: { 'evenkeel.tags': 'true' } });
    expect(asked).toEqual(['HEAD latest']);
  });

  it('is remembered beyond a restart, with the first time each digest was seen', async () => {
    await ask(registry({ '1.0.0': b }).client);
    const firstSeenAt = now;
    now += hour;
    await ask(registry({ '1.0.0': c }).client);
    answers.quarantine({ host: 'one', name: 'web', candidate: `1.0.0@${c}`, digest: c, reason: 'It exited.' });
    answers.rememberEquals([{ repository: 'docker.io/library/nginx', digest: c, imageId: a }]);
    const again = createAnswers({ store: createUpdatesStore(store), clock, log: silentLog() });
    const repository = 'docker.io/library/nginx';
    expect(again.of(`${repository}:1.0.0`)).toEqual(answers.of(`${repository}:1.0.0`));
    expect(again.history(repository, '1.0.0', 'linux/amd64').map((one) => one.digest)).toEqual([c, b]);
    expect(again.history(repository, '1.0.0', 'linux/amd64')[1]?.firstSeenAt).toBe(firstSeenAt);
    expect(again.image(repository, c, 'linux/amd64')?.platformDigest).toBe(c);
    expect(again.quarantined('one', 'web', c)).toBe('It exited.');
    expect(again.equalsOf(repository, a)).toEqual([c]);
  });

  it('goes on where nothing can be written', async () => {
    store.raw.pragma('query_only = ON');
    expect(await ask(registry({ '1.0.0': b }).client)).toMatchObject({ digest: b });
  });
});
