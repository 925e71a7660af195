import type { Candidate, Update, UpdateState } from '@evenkeel/contract';
import { updateStates } from '@evenkeel/contract';
import { expect, test } from 'vitest';
import { bestCandidate, isPending } from './pending.ts';

const candidate = (tag: string, blocked: Candidate['blocked'] = null): Candidate => ({
  id: `${tag}@sha256:1`,
  tag,
  digest: 'sha256:1',
  platformDigest: null,
  imageId: null,
  level: 'minor',
  version: null,
  createdAt: null,
  firstSeenAt: '2026-01-01T00:00:00.000Z',
  sizeBytes: null,
  downloadBytes: null,
  newLayers: null,
  sharedLayers: null,
  configChanges: [],
  source: null,
  blocked,
});
const update = (state: UpdateState, candidates: Candidate[], watched = true): Update => ({
  key: 'local/1',
  host: 'local',
  container: '1',
  name: 'web',
  stack: null,
  image: 'web:1',
  reference: null,
  state,
  reason: null,
  watched,
  checking: false,
  checkedAt: null,
  lastGoodAt: null,
  lastGoodState: null,
  running: { imageId: '', digest: null, tag: null, version: null, createdAt: null, platform: null },
  candidates,
});
const blocked = { code: 'too-new', reason: 'It is known for two hours only.' } as const;

test('only what is newer is pending: an error or a pin never looks like an update', () => {
  const pending = updateStates.filter((state) => isPending(update(state, [candidate('2')])));
  expect(pending).toEqual(['digest-update', 'tag-update', 'pulled-not-applied']);
});

test('what is held back or not watched waits elsewhere', () => {
  expect(isPending(update('tag-update', [candidate('2', blocked)]))).toBe(false);
  expect(isPending(update('tag-update', [candidate('2')], false))).toBe(false);
  expect(isPending(update('tag-update', []))).toBe(false);
});

test('the proposal is the first candidate that is not held back', () => {
  expect(bestCandidate(update('tag-update', [candidate('3', blocked), candidate('2')]))?.tag).toBe('2');
  expect(bestCandidate(update('tag-update', [candidate('3', blocked)]))?.tag).toBe('3');
});
