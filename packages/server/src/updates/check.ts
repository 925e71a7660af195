import type { Clock } from '../platform/clock.ts';
import { describeError } from '../platform/fault.ts';
import { type RegistryClient, RegistryError } from '../platform/registry/registry-client.ts';
import type { Answers } from './answers.ts';
import type { ReferenceAnswer, RemoteImage } from './observed.ts';
import { isWithin, type UpdatePolicy } from './policy.ts';
import { type ImageReference, repositoryOf } from './reference.ts';
import { readRemoteImage } from './remote-images.ts';
import { levelOf, newerTags, parseTag, type VersionTag } from './tag-family.ts';

/** A container that waits for the answer about its reference. */
export interface Asker {
  /** Platform of the running image; undefined when the engine no longer has it. */
  readonly platform: string | undefined;
  readonly policy: UpdatePolicy;
  /** True where this digest is the running image, so that nothing needs to be fetched. */
  readonly runs: (digest: string) => boolean;
}

/** One reference, asked once for all containers on all hosts that use it. */
export interface ReferenceQuestion {
  readonly key: string;
  readonly reference: ImageReference;
  readonly tag: string;
  readonly askers: readonly Asker[];
  /** Look for newer tags for the askers whose policy wants them. */
  readonly tags: boolean;
}

export interface CheckParts {
  readonly client: RegistryClient;
  readonly answers: Answers;
  readonly clock: Clock;
  readonly minimumAgeHours: number;
}

/** How many tags of one class are looked at when the best ones lack the platform. */
const mostTriesPerClass = 3;

/**
 * Asks the registry: one HEAD; what the digest holds only when it is nobody's running image; tags only when wanted.
 * A question that fails leaves everything that is known as it was and notes why; a cancelled one throws and notes nothing.
 */
export async function askReference(parts: CheckParts, question: ReferenceQuestion, signal: AbortSignal): Promise<void> {
  const { client, answers, clock } = parts;
  const { key, reference, tag } = question;
  const repository = repositoryOf(reference);
  try {
    const digest = (await client.resolve(reference, tag, signal)) ?? null;
    let settled: string | null = null;
    if (digest !== null) {
      const moved = question.askers.filter(({ runs }) => !runs(digest));
      for (const platform of platformsOf(moved)) {
        await learn(parts, reference, digest, platform, signal);
        settled ??= await learnEarlier(parts, question, digest, platform, signal);
      }
      for (const platform of platformsOf(question.askers)) answers.see(repository, tag, platform, digest);
    }
    const now = clock.now();
    answers.put(key, {
      ...answers.of(key),
      digest,
      settled,
      askedAt: now,
      goodAt: now,
      failure: null,
      failureKind: null,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    answers.put(key, { ...answers.of(key), askedAt: clock.now(), ...failureOf(error) });
    return;
  }
  if (question.tags) await askTags(parts, question, signal);
}

async function askTags(parts: CheckParts, question: ReferenceQuestion, signal: AbortSignal): Promise<void> {
  const { client, answers } = parts;
  const { key, reference, tag } = question;
  const from = parseTag(tag);
  if (from === undefined) return;
  try {
    const all = (await client.tags(reference, signal)) ?? [];
    const picks = new Map<string, string>();
    for (const asker of question.askers) {
      if (!asker.policy.tags) continue;
      const { accepts, prereleases } = asker.policy;
      const newer = newerTags(tag, all, { accepts, prereleases, platform: asker.platform });
      for (const tagsOfClass of classesOf(from, newer, asker.policy)) {
        await pick(parts, question, asker, tagsOfClass, picks, signal);
      }
    }
    const found = [...picks].map(([name, digest]) => ({ tag: name, digest }));
    answers.put(key, { ...answers.of(key), picks: found, tagsFailure: null });
  } catch (error) {
    if (signal.aborted) throw error;
    answers.put(key, { ...answers.of(key), tagsFailure: failureOf(error).failure });
  }
}

/** The best tag at all, the best that the policy takes, the best of the same major and of the same minor number. */
function classesOf(from: VersionTag, newer: readonly VersionTag[], policy: UpdatePolicy): VersionTag[][] {
  const allowed = newer.filter((one) => isWithin(levelOf(from, one), policy.level));
  const best = newer.slice(0, 1);
  const sameMajor = allowed.filter((one) => one.numbers[0] === from.numbers[0]);
  const sameMinor = sameMajor.filter((one) => one.numbers[1] === from.numbers[1]);
  return [best, allowed, sameMajor, sameMinor].filter((tags) => tags.length > 0);
}

async function pick(
  parts: CheckParts,
  { reference }: ReferenceQuestion,
  asker: Asker,
  tags: readonly VersionTag[],
  picks: Map<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const { client, answers } = parts;
  if (asker.platform === undefined) return;
  for (const { tag } of tags.slice(0, mostTriesPerClass)) {
    const digest = picks.get(tag) ?? (await client.resolve(reference, tag, signal));
    if (digest === undefined) continue;
    const image = await learn(parts, reference, digest, asker.platform, signal);
    picks.set(tag, digest);
    answers.see(repositoryOf(reference), tag, asker.platform, digest);
    if (image.platformDigest !== null) return;
  }
}

/** Fetches what a digest holds for a platform, once for ever. */
async function learn(
  { client, answers }: CheckParts,
  reference: ImageReference,
  digest: string,
  platform: string,
  signal: AbortSignal,
): Promise<RemoteImage> {
  const repository = repositoryOf(reference);
  const known = answers.image(repository, digest, platform);
  if (known) return known;
  const image = await readRemoteImage(client, reference, digest, platform, signal);
  answers.putImage(repository, platform, image);
  return image;
}

/**
 * While the digest is younger than the policy wants, the newest earlier one that is old enough: a tag that is pushed every
 * day would otherwise never be proposed. Only digests seen after the running one count.
 */
async function learnEarlier(
  parts: CheckParts,
  { reference, tag, askers }: ReferenceQuestion,
  digest: string,
  platform: string,
  signal: AbortSignal,
): Promise<string | null> {
  const { answers, clock, minimumAgeHours } = parts;
  if (minimumAgeHours === 0) return null;
  const repository = repositoryOf(reference);
  const oldEnough = clock.now() - minimumAgeHours * 3_600_000;
  if (answers.see(repository, tag, platform, digest) <= oldEnough) return null;
  const history = answers.history(repository, tag, platform);
  const running = history.findIndex((one) => askers.some(({ runs }) => runs(one.digest)));
  const later = history.slice(0, running < 0 ? history.length : running);
  const earlier = later.find((one) => one.digest !== digest && one.firstSeenAt <= oldEnough);
  if (earlier === undefined) return null;
  await learn(parts, reference, earlier.digest, platform, signal);
  return earlier.digest;
}

function platformsOf(askers: readonly Asker[]): string[] {
  return [...new Set(askers.flatMap(({ platform }) => platform ?? []))];
}

function failureOf(error: unknown): Pick<ReferenceAnswer, 'failureKind'> & { failure: string } {
  if (error instanceof RegistryError) return { failure: error.message, failureKind: error.kind };
  return { failure: `The check failed: ${describeError(error)}`, failureKind: 'broken' };
}
