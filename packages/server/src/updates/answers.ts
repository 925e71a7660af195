import type { Clock } from '../platform/clock.ts';
import { describeError } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import { type ReferenceAnswer, type RemoteImage, unasked } from './observed.ts';
import type { Quarantined, Sighting, UpdatesStore } from './updates-store.ts';

/** What registries have said so far, in memory and durable: enough to judge every container without asking again. */
export interface Answers {
  of(key: string): ReferenceAnswer;
  put(key: string, answer: ReferenceAnswer): void;
  image(repository: string, digest: string, platform: string): RemoteImage | undefined;
  putImage(repository: string, platform: string, image: RemoteImage): void;
  /** Notes that the tag named the digest now; returns when it did so first (epoch milliseconds). */
  see(repository: string, tag: string, platform: string, digest: string): number;
  firstSeen(repository: string, tag: string, platform: string, digest: string): number | undefined;
  /** Newest first. */
  history(repository: string, tag: string, platform: string): readonly Sighting[];
  quarantine(entry: Omit<Quarantined, 'since'>): void;
  quarantined(host: string, name: string, digest: string): string | undefined;
  rememberEqual(repository: string, digest: string, imageId: string): void;
  isEqual(repository: string, digest: string, imageId: string): boolean;
}

const forgetAfter = 90 * 24 * 3_600_000;

export function createAnswers({ store, clock, log }: { store: UpdatesStore; clock: Clock; log: Log }): Answers {
  const answers = new Map<string, ReferenceAnswer>();
  const images = new Map<string, RemoteImage>();
  const sightings = new Map<string, Sighting[]>();
  const quarantine = new Map<string, string>();
  const equals = new Set<string>();

  /** What a check learns is shown even where it cannot be kept: a full disk must not make detection blind. */
  function keep(write: () => void): void {
    try {
      write();
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'what the check found cannot be kept beyond a restart');
    }
  }

  keep(() => store.prune(clock.now() - forgetAfter));
  const stored = store.load();
  for (const { reference, answer } of stored.answers) answers.set(reference, { ...unasked, ...answer });
  for (const { repository, platform, image } of stored.images)
    images.set(join(repository, image.digest, platform), image);
  for (const sighting of stored.sightings) listOf(sighting).push(sighting);
  for (const { host, name, digest, reason } of stored.quarantine) quarantine.set(join(host, name, digest), reason);
  for (const { repository, digest, imageId } of stored.equals) equals.add(join(repository, digest, imageId));

  function listOf({ repository, tag, platform }: Pick<Sighting, 'repository' | 'tag' | 'platform'>): Sighting[] {
    const key = join(repository, tag, platform);
    const known = sightings.get(key);
    if (known) return known;
    const list: Sighting[] = [];
    sightings.set(key, list);
    return list;
  }

  function firstSeen(repository: string, tag: string, platform: string, digest: string): number | undefined {
    return sightings.get(join(repository, tag, platform))?.find((one) => one.digest === digest)?.firstSeenAt;
  }

  return {
    of: (key) => answers.get(key) ?? unasked,
    put(key, answer) {
      answers.set(key, answer);
      keep(() => store.putAnswer(key, answer));
    },
    image: (repository, digest, platform) => images.get(join(repository, digest, platform)),
    putImage(repository, platform, image) {
      images.set(join(repository, image.digest, platform), image);
      keep(() => store.putImage(repository, platform, image, clock.now()));
    },
    see(repository, tag, platform, digest) {
      const known = firstSeen(repository, tag, platform, digest);
      if (known !== undefined) return known;
      const sighting = { repository, tag, platform, digest, firstSeenAt: clock.now() };
      listOf(sighting).push(sighting);
      keep(() => store.putSighting(sighting));
      return sighting.firstSeenAt;
    },
    firstSeen,
    history: (repository, tag, platform) => sightings.get(join(repository, tag, platform))?.toReversed() ?? [],
    quarantine(entry) {
      quarantine.set(join(entry.host, entry.name, entry.digest), entry.reason);
      keep(() => store.putQuarantine({ ...entry, since: clock.now() }));
    },
    quarantined: (host, name, digest) => quarantine.get(join(host, name, digest)),
    rememberEqual(repository, digest, imageId) {
      equals.add(join(repository, digest, imageId));
      keep(() => store.putEqual({ repository, digest, imageId }));
    },
    isEqual: (repository, digest, imageId) => equals.has(join(repository, digest, imageId)),
  };
}

function join(...parts: readonly string[]): string {
  return parts.join(' ');
}
