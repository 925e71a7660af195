import { RegistryError } from '../platform/registry/registry-client.ts';
import { firstSeenOf } from './history.ts';
import type { AskedFor, RemoteImage } from './observed.ts';
import { isWithin, type UpdatePolicy } from './policy.ts';
import { type Asker, type CheckParts, failureOf, learn, type ReferenceQuestion } from './question.ts';
import { repositoryOf } from './reference.ts';
import { levelOf, newerTags, type VersionTag } from './tag-family.ts';

/** How many tags of one class are looked at when the best ones lack the platform, and how many wait to grow old enough. */
const mostTriesPerClass = 10;

/**
 * Asks for the tags and looks at the best of the family, for each asker that wants them. A tag that cannot be understood is
 * left out with a note; a registry that fails leaves the last result standing.
 */
export async function askTags(parts: CheckParts, question: ReferenceQuestion, signal: AbortSignal): Promise<void> {
  const { client, answers } = parts;
  const { key, reference, tag } = question;
  const askers = question.askers.filter(({ tags, platform }) => tags && platform !== undefined);
  if (!askers.some(({ policy }) => policy.parse(tag) !== undefined)) return;
  try {
    const list = await client.tags(reference, signal);
    if (list === undefined && answers.of(key).digest !== null) throw noList(question);
    const looking = createLooking(parts, question, signal);
    const told: Record<string, AskedFor> = {};
    for (const asker of askers) {
      const tagsNote = await look(looking, question, asker, list ?? []);
      told[asker.key] = { named: asker.named, tags: true, tagsNote };
    }
    const picks = [...looking.picks].map(([name, digest]) => ({ tag: name, digest }));
    const before = answers.of(key);
    answers.put(key, { ...before, picks, tagsFailure: null, askers: { ...before.askers, ...told } });
  } catch (error) {
    if (signal.aborted) throw error;
    answers.put(key, { ...answers.of(key), tagsFailure: failureOf(error).failure });
  }
}

function noList({ reference, tag }: ReferenceQuestion): RegistryError {
  const text = `The registry ${reference.host} has ${reference.path}:${tag}, but gives no list of its tags (404).`;
  return new RegistryError('broken', reference.host, text);
}

/** One round over the tags of a repository: each is asked for once, whoever wants to know. */
interface Looking {
  /** Tags that exist, with their digests. */
  readonly picks: Map<string, string>;
  /** Tags that were looked at in earlier rounds. */
  readonly remembered: ReadonlySet<string>;
  /** What the tag holds; undefined where it is gone, a sentence where it cannot be understood. */
  at(tag: string, platform: string): Promise<RemoteImage | string | undefined>;
  /** Known for as long as the policy wants. */
  isRipe(tag: string, platform: string, image: RemoteImage): boolean;
}

function createLooking(parts: CheckParts, { key, reference }: ReferenceQuestion, signal: AbortSignal): Looking {
  const { client, answers, clock, minimumAgeHours } = parts;
  const repository = repositoryOf(reference);
  const picks = new Map<string, string>();
  const left = new Map<string, string | undefined>();

  return {
    picks,
    remembered: new Set(answers.of(key).picks.map(({ tag }) => tag)),
    async at(tag, platform) {
      const entry = `${platform} ${tag}`;
      if (left.has(entry)) return left.get(entry);
      try {
        const digest = picks.get(tag) ?? (await client.resolve(reference, tag, signal));
        if (digest === undefined) {
          left.set(entry, undefined);
          return undefined;
        }
        const image = await learn(parts, reference, digest, platform, signal);
        picks.set(tag, digest);
        answers.see(repository, tag, platform, digest);
        return image;
      } catch (error) {
        if (!(error instanceof RegistryError) || error.kind !== 'broken') throw error;
        left.set(entry, `${tag} was left out: ${error.message}`);
        return left.get(entry);
      }
    },
    isRipe(tag, platform, image) {
      if (minimumAgeHours === 0) return true;
      const history = answers.history(repository, tag, platform);
      const firstSeen = firstSeenOf(history, image, (digest) => answers.image(repository, digest, platform));
      return (firstSeen ?? clock.now()) <= clock.now() - minimumAgeHours * 3_600_000;
    },
  };
}

/** Returns what was left out, a sentence; null when nothing was. */
async function look(
  looking: Looking,
  { tag }: ReferenceQuestion,
  asker: Asker,
  all: readonly string[],
): Promise<string | null> {
  const { policy, platform } = asker;
  const from = policy.parse(tag);
  if (from === undefined || platform === undefined) return null;
  const { accepts, prereleases, parse } = policy;
  const newer = newerTags(tag, all, { accepts, prereleases, platform, parse });
  const notes = new Set<string>();
  for (const tags of classesOf(from, newer, policy)) await lookAtClass(looking, platform, tags, notes);
  const [note] = notes;
  return note ?? null;
}

/** The best tag at all, the best that the policy takes, and the best with the same first, second and third number. */
function classesOf(from: VersionTag, newer: readonly VersionTag[], policy: UpdatePolicy): VersionTag[][] {
  const allowed = newer.filter((one) => isWithin(levelOf(from, one), policy.level));
  const same = (count: number) =>
    allowed.filter(({ numbers }) => numbers.slice(0, count).every((number, index) => number === from.numbers[index]));
  return [newer.slice(0, 1), allowed, same(1), same(2), same(3)].filter((tags) => tags.length > 0);
}

/**
 * From the best tag of the class down to the first with an image for the platform. While that one is too young, those that
 * were the best before it are kept in sight until one of them is old enough: frequent releases do not stop updates.
 */
async function lookAtClass(
  looking: Looking,
  platform: string,
  tags: readonly VersionTag[],
  notes: Set<string>,
): Promise<void> {
  for (const [index, { tag }] of tags.entries()) {
    if (index >= mostTriesPerClass) {
      notes.add(
        `None of the ${mostTriesPerClass} newest tags holds a usable image for ${platform}; older ones were not looked at.`,
      );
      return;
    }
    const image = await looking.at(tag, platform);
    if (typeof image === 'string') notes.add(image);
    if (typeof image !== 'object' || image.platformDigest === null) continue;
    if (!looking.isRipe(tag, platform, image)) await lookAtEarlier(looking, platform, tags.slice(index + 1));
    return;
  }
}

/** Of too many that wait the oldest are kept: they are ripe first. */
async function lookAtEarlier(looking: Looking, platform: string, tags: readonly VersionTag[]): Promise<void> {
  const waiting = tags.filter(({ tag }) => looking.remembered.has(tag)).slice(-mostTriesPerClass);
  for (const { tag } of waiting) {
    const image = await looking.at(tag, platform);
    if (typeof image === 'object' && image.platformDigest !== null && looking.isRipe(tag, platform, image)) return;
  }
}
