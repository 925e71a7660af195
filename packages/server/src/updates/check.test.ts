import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSettings } from '@evenkeel/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../platform/log/create-log.ts';
import { type RegistryClient, RegistryError } from '../platform/registry/registry-client.ts';
import { openStore, type Store } from '../platform/store/store.ts';
import { type Answers, createAnswers } from './answers.ts';
import { askReference } from './check.ts';
import { createPolicyReader } from './policy.ts';
import type { Asker } from './question.ts';
import { parseReference } from './reference.ts';
import { updatesMigrations } from './updates-migrations-store.ts';
import { createUpdatesStore } from './updates-store.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const [a, b, c] = ['a', 'b', 'c'].map(digest) as [string, string, string];
const hour = 3_600_000;
let now = 1_000 * hour;
const clock = { now: () => now, sleep: async () => {} };
let folder: string;
let store: Store;
let answers: Answers;

/** The registry as its interface: tags and what they name; every digest is a plain amd64 image of its own. */
function registry(tags: Record<string, string>, list: string[] = []) {
  const asked: string[] = [];
  const client: RegistryClient = {
    async resolve(_, tag) {
      asked.push(`HEAD ${tag}`);
      if (tags[tag] === 'sick')
        throw new RegistryError('sick', 'docker.io', 'The registry docker.io is out of order (500).');
      return tags[tag];
    },
    async manifest(_, name) {
      asked.push(`GET ${name.slice(7, 8)}`);
      return { kind: 'image', mediaType: '', config: { mediaType: '', digest: name, size: 1 }, layers: [] };
    },
    imageConfig: async () => ({ os: 'linux', architecture: 'amd64', diffIds: [], config: {} }),
    async tags() {
      asked.push('tags');
      return list;
    },
    health: () => ({ state: 'ok', reason: null, coolDownUntil: null, rateLimitRemaining: null, requests: 0 }),
    counters: () => [],
    test: async () => ({ ok: true, detail: '' }),
    close: async () => {},
  };
  return { client, asked };
}

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
    others?: readonly Asker[];
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
    askers: [asker, ...(options.others ?? [])],
    away: {},
    tags: policy.tags,
  };
  const parts = { client, answers, clock, minimumAgeHours: options.minimumAgeHours ?? 0 };
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
      failure: expect.stringContaining('500'),
    });
  });

  it('looks at the best tag, the best of the major and the best of the minor number, and skips a vanished one', async () => {
    const list = ['1.0.0', '1.0.1', '1.0.2', '1.1.0', '1.2.0', '2.0.0', '2.1.0'];
    const { client, asked } = registry({ '1.0.0': a, '1.0.2': b, '1.2.0': b, '2.0.0': c }, list);
    const { picks } = await ask(client, { labels: { 'evenkeel.tags': 'true' } });
    expect(picks.map(({ tag }) => tag).toSorted()).toEqual(['1.0.2', '1.2.0', '2.0.0']);
    expect(asked).not.toContain('HEAD 1.0.1');
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
