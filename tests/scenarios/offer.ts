import type { Candidate } from '@evenkeel/contract';
import { type Image, type PushedImage, pushImage, type TestRegistry } from '@evenkeel/testbed';
import type { ChosenCandidate } from '../../packages/server/src/updates/updates.ts';
import type { RunBench } from './run-bench.ts';

/** What detection would say of an image that was pushed. */
export function candidateFor(
  registry: TestRegistry,
  repository: string,
  tag: string,
  pushed: PushedImage,
): ChosenCandidate {
  const candidate: Candidate = {
    id: `${tag}@${pushed.digest}`,
    tag,
    digest: pushed.digest,
    platformDigest: pushed.digest,
    imageId: pushed.imageId,
    level: 'digest',
    version: null,
    createdAt: null,
    firstSeenAt: new Date().toISOString(),
    sizeBytes: null,
    downloadBytes: null,
    newLayers: null,
    sharedLayers: null,
    configChanges: [],
    source: null,
    blocked: null,
  };
  return {
    candidate,
    image: pushed.reference,
    pullReference: `${registry.host}/${repository}@${pushed.digest}`,
    repository: `${registry.host}/${repository}`,
    platform: null,
  };
}

/** Pushes the next version under the tag and says so to the bench. */
export async function offer(
  bench: RunBench,
  registry: TestRegistry,
  name: string,
  repository: string,
  image: Image,
): Promise<ChosenCandidate> {
  const chosen = candidateFor(registry, repository, '1', await pushImage(registry, repository, '1', image));
  bench.offers.set(name, chosen);
  return chosen;
}
