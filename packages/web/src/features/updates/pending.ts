import type { Candidate, Update } from '@evenkeel/contract';

const applicable: ReadonlySet<Update['state']> = new Set(['digest-update', 'tag-update', 'pulled-not-applied']);

/** Whether something can be applied now: it is watched, newer, and not held back. */
export function isPending(update: Update): boolean {
  if (!applicable.has(update.state) || !update.watched) return false;
  const best = bestCandidate(update);
  return update.state === 'pulled-not-applied' || (best !== undefined && best.blocked === null);
}

/** The candidate that is proposed: the first that is not held back, else the first. */
export function bestCandidate(update: Update): Candidate | undefined {
  return update.candidates.find(({ blocked }) => blocked === null) ?? update.candidates[0];
}
