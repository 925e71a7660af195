import type { Candidate, UpdateState } from '@evenkeel/contract';
import type { History } from './history.ts';
import { digestsOf, type Identity, type Question } from './identity.ts';
import type { AskedFor, Observed, ReferenceAnswer, RemoteImage } from './observed.ts';
import type { UpdatePolicy } from './policy.ts';
import type { ImageReference } from './reference.ts';

/** All that is known when the state of one container is judged. Nothing is asked here. */
export interface Knowledge {
  readonly observed: Observed;
  readonly identity: Identity;
  readonly question: Question;
  readonly policy: UpdatePolicy;
  readonly answer: ReferenceAnswer;
  /** Undefined for a container that came after the last good answer. */
  readonly asked: AskedFor | undefined;
  /** The registry has given a digest for this reference at some time. */
  readonly everGiven: boolean;
  /** The image behind a digest, for the platform of the running one, where it is known. */
  readonly imageOf: (digest: string) => RemoteImage | undefined;
  /** Digests under which the running image was known in its repository, as long as its name pointed at it. */
  readonly remembered: readonly string[];
  /** What a tag of the repository has named, for the platform of the running image. */
  readonly history: (tag: string) => History;
  readonly quarantined: (digest: string) => string | undefined;
  readonly minimumAgeHours: number;
  readonly now: number;
}

export interface Verdict {
  readonly state: UpdateState;
  readonly reason: string | null;
  readonly candidates: readonly Candidate[];
}

/** The digests of the running image in its repository, those that the engine has forgotten too. */
export function ownDigests({ observed, remembered }: Knowledge, reference: ImageReference): string[] {
  return [...new Set([...digestsOf(observed.running, reference), ...remembered])];
}

/** With the containerd image store the id of an image is the digest of its manifest or index. */
export function isOwn({ observed }: Knowledge, digests: readonly string[], digest: string | null): boolean {
  return digest !== null && (digest === observed.imageId || digests.includes(digest));
}

/** True where the image of a registry is the running one, whatever else its index holds. */
export function isRunning(knowledge: Knowledge, remote: RemoteImage, digests: readonly string[]): boolean {
  const { observed, imageOf } = knowledge;
  if (isOwn(knowledge, digests, remote.digest) || isOwn(knowledge, digests, remote.platformDigest)) return true;
  if (remote.imageId !== null && remote.imageId === observed.imageId) return true;
  if (remote.platformDigest === null) return false;
  return [...digests, observed.imageId].some((own) => imageOf(own)?.platformDigest === remote.platformDigest);
}

/** The same for a digest whose image need not be known. */
export function runsDigest(knowledge: Knowledge, digests: readonly string[], digest: string): boolean {
  const remote = knowledge.imageOf(digest);
  return isOwn(knowledge, digests, digest) || (remote !== undefined && isRunning(knowledge, remote, digests));
}

/** True where the engine knows the running image from other repositories only: it was given this name by hand. */
export function isStranger({ observed }: Knowledge, digests: readonly string[]): boolean {
  return digests.length === 0 && (observed.running?.repoDigests.length ?? 0) > 0;
}
