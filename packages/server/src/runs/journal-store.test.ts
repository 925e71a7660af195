import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from '@evenkeel/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSealer } from '../platform/crypto/sealer.ts';
import { openStore, type Store } from '../platform/store/store.ts';
import { createJournal, type Journal, runsMigrations, type StoredRun } from './journal-store.ts';
import { inspectOf, memberOf, newImage, target } from './members-for-tests.ts';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-journal-'));
const points: string[] = [];
let store: Store;
let journal: Journal;
beforeAll(async () => {
  store = await openStore(join(folder, 'test.db'), { migrations: runsMigrations });
  const sealer = createSealer({ keyFile: join(folder, 'key') });
  journal = createJournal({ store, sealer, now: () => 1000, failpoint: (point) => points.push(point) });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function storedRun(id: string, part: Partial<Run> = {}): StoredRun {
  const facts = { image: 'nginx:1', imageId: 'sha256:old', digest: null, tag: '1' };
  const run: Run = {
    id,
    host: 'local',
    name: 'web',
    kind: 'update',
    strategy: 'recreate',
    state: 'queued',
    phase: 'PLANNED',
    actor: 'system',
    from: facts,
    to: facts,
    oldContainer: 'id-web',
    newContainer: null,
    steps: [],
    warnings: [],
    reason: null,
    failedLog: null,
    oldLog: null,
    gapMilliseconds: null,
    recovered: false,
    rollbackAvailable: false,
    createdAt: '2026-11-25T09:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    ...part,
  };
  const wish = { host: 'local', name: 'web', kind: 'update' as const, target, strategy: null, gate: null };
  return { run, wish, furthest: 'PLANNED', failure: null, keptImage: null };
}

test('gives back what was written, members with their progress', () => {
  const stored = storedRun('one');
  journal.insert(stored);
  journal.plan(stored, [memberOf('web')]);
  expect(journal.members('one')[0]?.progress.newId).toBe('new-web');
  const progress = { newId: 'abc', newImage, holderId: null, restoredId: null, spec: null };
  const record = { phase: 'CREATING', event: 'done', text: 'created' } as const;
  journal.write({ ...stored, furthest: 'CREATING' }, record, [{ position: 0, progress }]);
  expect(journal.get('one')).toMatchObject({ furthest: 'CREATING', run: stored.run });
  expect(journal.members('one')[0]).toMatchObject({ name: 'web', inspect: inspectOf('web'), progress });
  expect(journal.records('one').at(-1)).toMatchObject({ ...record, at: 1000 });
});

test('secrets of the inspect and the log stand nowhere in the clear', () => {
  const stored = storedRun('sealed', { failedLog: 'password hunter2', oldLog: 'token hunter2' });
  const secret = inspectOf('web', { Config: { Image: 'nginx:1', Env: ['TOKEN=hunter2'] } });
  journal.insert(stored);
  journal.plan(stored, [memberOf('web', { inspect: secret })]);
  const rows = ['runs', 'run_members', 'run_records'].map((table) => store.raw.prepare(`SELECT * FROM ${table}`).all());
  expect(JSON.stringify(rows)).not.toContain('hunter2');
  expect(journal.get('sealed')?.run).toMatchObject({ failedLog: 'password hunter2', oldLog: 'token hunter2' });
  expect(journal.members('sealed')[0]?.inspect.Config.Env).toEqual(['TOKEN=hunter2']);
});

test('every write stands between two points at which the process may end', () => {
  points.length = 0;
  const stored = storedRun('points');
  journal.insert(stored);
  journal.write(stored, { phase: 'STOPPING', event: 'begin', text: 'stop' });
  expect(points).toEqual([
    'before queued points',
    'after queued points',
    'before STOPPING begin stop',
    'after STOPPING begin stop',
  ]);
});

test('a full disk keeps nothing of a write, and says so', () => {
  const stored = storedRun('full');
  journal.insert(stored);
  store.raw.pragma('wal_checkpoint(TRUNCATE)');
  store.raw.pragma(`max_page_count = ${store.raw.pragma('page_count', { simple: true })}`);
  const large = storedRun('full', { reason: 'x'.repeat(100_000) });
  const write = () => journal.write(large, { phase: 'STOPPING', event: 'begin', text: 'stop' });
  expect(write).toThrow(expect.objectContaining({ code: 'disk_full' }));
  store.raw.pragma('max_page_count = 1000000');
  expect(journal.get('full')?.run.reason).toBe(null);
  expect(journal.records('full')).toHaveLength(1);
});

test('forgetting a run takes its members and records along', () => {
  const stored = storedRun('gone');
  journal.insert(stored);
  journal.plan(stored, [memberOf('web')]);
  journal.remove(['gone']);
  expect([journal.get('gone'), journal.members('gone'), journal.records('gone')]).toEqual([undefined, [], []]);
});
