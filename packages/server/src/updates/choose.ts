import type { Update } from '@evenkeel/contract';
import { Fault } from '../platform/fault.ts';
import { bestCandidate } from './candidate.ts';
import type { Identity } from './identity.ts';
import { repositoryOf, respell } from './reference.ts';
import type { ChosenCandidate } from './updates.ts';

/** The wished candidate, or the best that is not blocked; asks nobody. Errors as `Updates.choose` promises. */
export function choose(
  update: Update,
  identity: Identity | undefined,
  candidateId: string | undefined,
): ChosenCandidate {
  const { name, image } = update;
  if (update.state === 'local') {
    throw new Fault(
      'not_updatable',
      `${name} runs an image that was built on its host (${image}). Build it anew and recreate the container.`,
    );
  }
  if (update.state === 'pinned' || update.state === 'pinned-tag-moved') {
    throw new Fault(
      'not_updatable',
      `${name} is pinned by digest (${image}). Change the reference where the container is defined.`,
    );
  }
  if (identity?.kind !== 'named' || identity.recovered) {
    throw new Fault(
      'not_updatable',
      `${name} was created from "${image}", which is not a name that an image can be pulled by. Create it from a name with a tag.`,
    );
  }
  const { reference } = identity;
  const wished =
    candidateId === undefined
      ? bestCandidate(update.candidates)
      : update.candidates.find(({ id }) => id === candidateId);
  if (wished === undefined) throw nothingToTake(update, candidateId);
  if (wished.blocked?.code === 'platform-missing') throw new Fault('conflict', `${name}: ${wished.blocked.reason}`);
  return {
    candidate: wished,
    image: respell(reference, wished.tag),
    pullReference: `${repositoryOf(reference)}@${wished.digest}`,
    repository: repositoryOf(reference),
    platform: update.running.platform,
  };
}

function nothingToTake({ name, candidates, reason }: Update, candidateId: string | undefined): Fault {
  if (candidateId !== undefined) {
    const known = candidates.map(({ id }) => id).join(', ') || 'none';
    return new Fault(
      'conflict',
      `${candidateId} is not (any more) a candidate for ${name}. Known now: ${known}. Check again, then choose.`,
    );
  }
  const [blocked] = candidates;
  const why = blocked?.blocked?.reason ?? reason ?? 'nothing newer is known';
  return new Fault('conflict', `There is nothing to update ${name} to: ${why}`);
}
