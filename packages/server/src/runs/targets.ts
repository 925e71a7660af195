import type { Gate, Run, RunRequest } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import { Fault } from '../platform/fault.ts';
import type { Updates } from '../updates/index.ts';
import { isFinished, nameOf, taggable, type Wish } from './run.ts';

/** What was asked for, with the candidate fixed. Throws `not_found`, `conflict` (nothing newer) or `not_updatable`. */
export function updateWish(parts: { containers: Containers; updates: Updates }, request: RunRequest): Wish {
  const { inspect } = parts.containers.find(request.host, request.container);
  const chosen = parts.updates.choose(request.host, inspect.Id, request.candidate);
  const { candidate } = chosen;
  const ids = [candidate.imageId, candidate.platformDigest, candidate.digest].filter((id) => id !== null);
  return {
    host: request.host,
    name: nameOf(inspect),
    kind: 'update',
    strategy: request.strategy ?? null,
    gate: request.gate ?? null,
    target: {
      image: chosen.image,
      tag: candidate.tag,
      digest: candidate.digest,
      manifestDigest: candidate.platformDigest,
      candidateId: candidate.id,
      repository: chosen.repository,
      pull: {
        reference: chosen.pullReference,
        registryHost: chosen.repository.split('/')[0] ?? chosen.repository,
        platform: chosen.platform,
      },
      imageIds: candidate.imageId === null && candidate.platformDigest === null ? [] : [...new Set(ids)],
      undoes: null,
    },
  };
}

/** Going back to the version before `run`, from the image that was kept. Throws `conflict` when there is no way back. */
export function rollbackWish({ run, wish }: { run: Run; wish: Wish }, gate: Gate | undefined): Wish {
  if (!isFinished(run.state))
    throw new Fault('conflict', `The run on ${run.name} has not finished yet. Wait for its end, or cancel it.`);
  if (run.state !== 'committed' || run.newContainer === null)
    throw new Fault('conflict', `That run did not replace ${run.name}, so there is nothing to go back from.`);
  if (!run.rollbackAvailable)
    throw new Fault(
      'conflict',
      `The image that ran before (${run.from.image}) is no longer kept. Raise the number of kept images for the next time.`,
    );
  const { candidateId, digest } = wish.target;
  return {
    host: run.host,
    name: run.name,
    kind: 'rollback',
    strategy: null,
    gate: gate ?? null,
    target: {
      image: run.from.image,
      tag: taggable(run.from.image)?.tag ?? null,
      digest: run.from.digest,
      manifestDigest: null,
      candidateId: null,
      repository: null,
      pull: null,
      imageIds: [run.from.imageId],
      undoes: candidateId === null ? null : { candidateId, digest: digest ?? '' },
    },
  };
}
