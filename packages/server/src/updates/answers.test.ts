import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../platform/log/create-log.ts';
import { openStore, type Store } from '../platform/store/store.ts';
import { type Answers, createAnswers } from './answers.ts';
import { type RemoteImage, unasked } from './observed.ts';
import { updatesMigrations } from './updates-migrations-store.ts';
import { createUpdatesStore } from './updates-store.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const [a, b, c] = ['a', 'b', 'c'].map(digest) as [string, string, string];
const day = 24 * 3_600_000;
const repository = 'docker.io/library/nginx';
const platform = 'linux/amd64';
let now = 1000 * day;
let folder: string;
let store: Store;
let answers: Answers;
const clock = { now: () => now, sleep: async () => {} };
const open = () => createAnswers({ store: createUpdatesStore(store), clock, log: silentLog() });
const image = (name: string): RemoteImage => ({
  digest: name,
  platformDigest: name,
  imageId: null,
  created: null,
  version: null,
  source: null,
  layerSizes: [],
  diffIds: [],
  defaults: {},
  unread: null,
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-answers-'));
  store = await openStore(join(folder, 'db.sqlite'), { migrations: updatesMigrations });
  answers = open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the history of a tag', () => {
  const digests = (of: Answers) => of.history(repository, '1', platform).map((seen) => seen.digest);

  it('is ordered by when the tag began to name each digest the last time, with the first time kept', () => {
    const first = now;
    for (const name of [a, b, a, c]) {
      answers.see(repository, '1', platform, name);
      now += day;
    }
    expect(digests(answers)).toEqual([c, a, b]);
    expect(answers.history(repository, '1', platform)[1]).toMatchObject({ firstSeenAt: first, since: first + 2 * day });
    expect(open().history(repository, '1', platform)).toEqual(answers.history(repository, '1', platform));
  });

  it('forgets what the tag has not named for ninety days, while the server runs and at its start', () => {
    answers.see(repository, '1', platform, a);
    for (let passed = 0; passed < 100; passed += 1) {
      now += day;
      answers.see(repository, '1', platform, b);
      answers.prune();
    }
    expect(digests(answers)).toEqual([b]);
    expect(digests(open())).toEqual([b]);
    expect(answers.everSeen(repository, '1')).toBe(true);
    now += 91 * day;
    answers.prune();
    expect(digests(answers)).toEqual([]);
    expect(answers.everSeen(repository, '1')).toBe(false);
  });
});

it('an answer, and what was known of an image of an engine, is forgotten after ninety days', () => {
  answers.put('k', { ...unasked, askedAt: now });
  answers.rememberEquals([{ repository, digest: a, imageId: b }]);
  now += 60 * day;
  answers.put('used', { ...unasked, askedAt: now });
  answers.rememberEquals([{ repository, digest: c, imageId: b }]);
  now += 60 * day;
  answers.prune();
  for (const one of [answers, open()]) {
    expect(one.of('k')).toEqual(unasked);
    expect(one.of('used').askedAt).not.toBeNull();
    expect(one.equalsOf(repository, b)).toEqual([c]);
  }
});

describe('images', () => {
  it('are read from the database when they matter, not all at the start', () => {
    answers.putImage(repository, platform, image(a));
    expect(open().image(repository, a, platform)).toEqual(image(a));
    expect(open().image(repository, b, platform)).toBeUndefined();
    store.raw.prepare('DELETE FROM update_images').run();
    expect(open().image(repository, a, platform)).toBeUndefined();
    expect(answers.image(repository, a, platform)).toEqual(image(a));
  });

  it('that an answer names stay, others go after ninety days', () => {
    answers.putImage(repository, platform, image(a));
    answers.putImage(repository, platform, image(b));
    now += 100 * day;
    answers.put('k', { ...unasked, digest: a, askedAt: now });
    answers.prune();
    expect(open().image(repository, a, platform)).toEqual(image(a));
    expect(open().image(repository, b, platform)).toBeUndefined();
  });
});

it('what was seen before the history had an order keeps its times', async () => {
  const [first] = Object.entries(updatesMigrations);
  if (first === undefined) throw new Error('there is no migration');
  const file = join(folder, 'old.sqlite');
  const old = await openStore(file, { migrations: Object.fromEntries([first]) });
  const insert =
    'INSERT INTO update_sightings (repository, tag, platform, digest, first_seen_at) VALUES (?, ?, ?, ?, ?)';
  old.raw.prepare(insert).run(repository, '1', platform, a, now - 2 * day);
  old.raw.prepare(insert).run(repository, '1', platform, b, now - day);
  await old.close();
  const opened = await openStore(file, { migrations: updatesMigrations });
  const again = createAnswers({ store: createUpdatesStore(opened), clock, log: silentLog() });
  expect(again.history(repository, '1', platform).map(({ digest: name, since }) => [name, since])).toEqual([
    [b, now - day],
    [a, now - 2 * day],
  ]);
  await opened.close();
});
