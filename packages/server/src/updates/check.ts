import { askTags } from './check-tags.ts';
import { earlierDigests } from './history.ts';
import type { AskedFor, ReferenceAnswer } from './observed.ts';
import { type Asker, type CheckParts, failureOf, learn, type ReferenceQuestion } from './question.ts';
import { repositoryOf } from './reference.ts';

/**
 * Asks the registry: one HEAD; what the digest holds only when it is not somebody's running image; tags only when wanted.
 * A question that fails leaves everything that is known as it was and notes why; a cancelled one throws. What HEAD proved
 * stands whatever happens later.
 */
export async function askReference(parts: CheckParts, question: ReferenceQuestion, signal: AbortSignal): Promise<void> {
  const { client, answers, clock } = parts;
  const { key, reference, tag, askers } = question;
  let digest: string | null;
  try {
    digest = (await client.resolve(reference, tag, signal)) ?? null;
  } catch (error) {
    if (signal.aborted) throw error;
    const failure = failureOf(error);
    const signedIn = failure.failureKind === 'denied' && (await parts.signsIn(reference.host));
    answers.put(key, { ...answers.of(key), askedAt: clock.now(), signedIn, ...failure });
    return;
  }
  if (digest !== null) {
    for (const platform of platformsOf(askers)) answers.see(repositoryOf(reference), tag, platform, digest);
  }
  const now = clock.now();
  const before = answers.of(key);
  const told = askedFor(question, before);
  const good = {
    digest,
    askedAt: now,
    goodAt: now,
    failure: null,
    failureKind: null,
    signedIn: false,
    unread: {},
    askers: told,
  };
  answers.put(key, { ...before, ...good });
  if (digest !== null) {
    const unread = await learnMoved(parts, question, digest, signal);
    if (Object.keys(unread).length > 0) answers.put(key, { ...answers.of(key), unread });
  }
  if (question.tags) await askTags(parts, question, signal);
}

/** What was looked for earlier stays found until it is looked for again. */
function askedFor({ askers, away }: ReferenceQuestion, before: ReferenceAnswer): Record<string, AskedFor> {
  const told = Object.fromEntries(
    askers.map(({ key, named }): [string, AskedFor] => {
      const { tags = false, tagsNote = null } = before.askers[key] ?? {};
      return [key, { named, tags, tagsNote }];
    }),
  );
  return { ...away, ...told };
}

/** What the digest holds, for the platforms whose containers do not run it. Returns what could not be read, by platform. */
async function learnMoved(
  parts: CheckParts,
  { reference, tag, askers }: ReferenceQuestion,
  digest: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const moved = askers.filter(({ runs }) => !runs(digest));
  const unread: Record<string, string> = {};
  for (const platform of platformsOf(moved)) {
    try {
      await learn(parts, reference, digest, platform, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      unread[platform] = failureOf(error).failure;
    }
  }
  for (const asker of moved) {
    const { platform, ownDigest } = asker;
    if (platform === undefined || unread[platform] !== undefined) continue;
    const wanted = [
      ...earlierOf(parts, { reference, tag }, asker, digest).slice(0, 1),
      ...(ownDigest ? [ownDigest] : []),
    ];
    for (const one of wanted) {
      // Without it less can be said, but nothing wrong.
      await learn(parts, reference, one, platform, signal).catch((error: unknown) => {
        if (signal.aborted) throw error;
      });
    }
  }
  return unread;
}

function earlierOf(
  { answers, clock, minimumAgeHours }: CheckParts,
  { reference, tag }: Pick<ReferenceQuestion, 'reference' | 'tag'>,
  { platform = '', runs }: Asker,
  digest: string,
): string[] {
  if (minimumAgeHours === 0) return [];
  const oldEnough = clock.now() - minimumAgeHours * 3_600_000;
  return earlierDigests(answers.history(repositoryOf(reference), tag, platform), digest, runs, oldEnough);
}

function platformsOf(askers: readonly Asker[]): string[] {
  return [...new Set(askers.flatMap(({ platform }) => platform ?? []))];
}
