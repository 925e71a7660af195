import type { Clock } from '../platform/clock.ts';
import { describeError } from '../platform/fault.ts';
import { type RegistryClient, RegistryError } from '../platform/registry/registry-client.ts';
import type { Answers } from './answers.ts';
import type { AskedFor, ReferenceAnswer, RemoteImage } from './observed.ts';
import type { UpdatePolicy } from './policy.ts';
import { type ImageReference, repositoryOf } from './reference.ts';
import { readRemoteImage } from './remote-images.ts';

/** A container that waits for the answer about its reference. */
export interface Asker {
  /** Container key. */
  readonly key: string;
  /** Platform of the running image; undefined when the engine no longer has it. */
  readonly platform: string | undefined;
  /** The local id of the reference now; null where it names nothing. */
  readonly named: string | null;
  readonly policy: UpdatePolicy;
  /** Newer tags are looked for on its behalf whenever the list is asked for. */
  readonly tags: boolean;
  /** True where this digest is the running image, so that nothing needs to be fetched. */
  readonly runs: (digest: string) => boolean;
  /** With the containerd image store: the digest by which the engine knows the running index or manifest. */
  readonly ownDigest: string | undefined;
}

/** One reference, asked once for all containers on all hosts that use it. */
export interface ReferenceQuestion {
  readonly key: string;
  readonly reference: ImageReference;
  readonly tag: string;
  /** Every container with this reference, whoever is checked: the answer is for all of them. */
  readonly askers: readonly Asker[];
  /** Containers that were told earlier and cannot be seen now: their hosts do not answer. */
  readonly away: Readonly<Record<string, AskedFor>>;
  /** Look for newer tags for the askers that want them. */
  readonly tags: boolean;
}

export interface CheckParts {
  readonly client: RegistryClient;
  /** True where there are credentials for the registry. */
  readonly signsIn: (host: string) => Promise<boolean>;
  readonly answers: Answers;
  readonly clock: Clock;
  readonly minimumAgeHours: number;
}

/** Fetches what a digest holds for a platform, once for ever; again only where its configuration could not be read. */
export async function learn(
  { client, answers }: CheckParts,
  reference: ImageReference,
  digest: string,
  platform: string,
  signal: AbortSignal,
): Promise<RemoteImage> {
  const repository = repositoryOf(reference);
  const known = answers.image(repository, digest, platform);
  if (known !== undefined && known.unread === null) return known;
  const image = await readRemoteImage(client, reference, digest, platform, signal);
  answers.putImage(repository, platform, image);
  return image;
}

export function failureOf(error: unknown): Pick<ReferenceAnswer, 'failureKind'> & { failure: string } {
  if (error instanceof RegistryError) return { failure: error.message, failureKind: error.kind };
  return { failure: `The check failed: ${describeError(error)}`, failureKind: 'broken' };
}
