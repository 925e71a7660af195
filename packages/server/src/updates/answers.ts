import type { Clock } from '../platform/clock.ts';
import { describeError } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import type { History } from './history.ts';
import { type ReferenceAnswer, type RemoteImage, unasked } from './observed.ts';
import type { Equality, Quarantined, Sighting, UpdatesStore } from './updates-store.ts';

/** What registries have said so far, in memory and durable: enough to judge every container without asking again. */
export interface Answers {
  of(key: string): ReferenceAnswer;
  put(key: string, answer: ReferenceAnswer): void;
  image(repository: string, digest: string, platform: string): RemoteImage | undefined;
  putImage(repository: string, platform: string, image: RemoteImage): void;
  /** Notes that the tag names the digest now; returns when it did so first (epoch milliseconds). */
  see(repository: string, tag: string, platform: string, digest: string): number;
  history(repository: string, tag: string, platform: string): History;
  /** True where the tag was ever seen to name something, for any platform. */
  everSeen(repository: string, tag: string): boolean;
  quarantine(entry: Omit<Quarantined, 'since'>): void;
  quarantined(host: string, name: string, digest: string): string | undefined;
  rememberEquals(equals: readonly Omit<Equality, 'seenAt'>[]): void;
  /** Digests under which the image of an engine was known in the repository. */
  equalsOf(repository: string, imageId: string): readonly string[];
  /** Forgets what has not mattered for ninety days; does nothing within a day of the last time. */
  prune(): void;
}

const day = 24 * 3_600_000;
const forgetAfter = 90 * day;
/** Images in memory; the others are read again when they matter. */
const mostImages = 2000;

interface Equal {
  readonly repository: string;
  readonly imageId: string;
  readonly seenAt: Map<string, number>;
}

export function createAnswers({ store, clock, log }: { store: UpdatesStore; clock: Clock; log: Log }): Answers {
  const answers = new Map<string, ReferenceAnswer>();
  const images = new Map<string, RemoteImage | undefined>();
  const sightings = new Map<string, Sighting[]>();
  const seenTags = new Set<string>();
  const quarantine = new Map<string, string>();
  const equals = new Map<string, Equal>();
  let pruned = clock.now();

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
  for (const sighting of stored.sightings) listOf(sighting).push(sighting);
  for (const list of sightings.values()) list.sort(bySince);
  for (const { host, name, digest, reason } of stored.quarantine) quarantine.set(join(host, name, digest), reason);
  for (const one of stored.equals) equalOf(one.repository, one.imageId).seenAt.set(one.digest, one.seenAt);

  function listOf({ repository, tag, platform }: Pick<Sighting, 'repository' | 'tag' | 'platform'>): Sighting[] {
    seenTags.add(join(repository, tag));
    return getOrMake(sightings, join(repository, tag, platform), () => []);
  }

  function equalOf(repository: string, imageId: string): Equal {
    return getOrMake(equals, join(repository, imageId), () => ({ repository, imageId, seenAt: new Map() }));
  }

  function holdImage(key: string, image: RemoteImage | undefined): void {
    images.delete(key);
    images.set(key, image);
    const [oldest] = images.keys();
    if (images.size > mostImages && oldest !== undefined) images.delete(oldest);
  }

  function forget(before: number): void {
    for (const [key, { askedAt }] of answers) if ((askedAt ?? 0) < before) answers.delete(key);
    seenTags.clear();
    for (const [key, list] of sightings) {
      const kept = list.filter(({ seenAt }) => seenAt >= before);
      const [first] = kept;
      if (first === undefined) sightings.delete(key);
      else sightings.set(key, kept);
      if (first !== undefined) seenTags.add(join(first.repository, first.tag));
    }
    for (const [key, { seenAt }] of equals) {
      for (const [digest, at] of seenAt) if (at < before) seenAt.delete(digest);
      if (seenAt.size === 0) equals.delete(key);
    }
  }

  return {
    of: (key) => answers.get(key) ?? unasked,
    put(key, answer) {
      answers.set(key, answer);
      keep(() => store.putAnswer(key, answer));
    },
    image(repository, digest, platform) {
      const key = join(repository, digest, platform);
      if (!images.has(key)) holdImage(key, store.image(repository, digest, platform));
      return images.get(key);
    },
    putImage(repository, platform, image) {
      holdImage(join(repository, image.digest, platform), image);
      keep(() => store.putImage(repository, platform, image, clock.now()));
    },
    see(repository, tag, platform, digest) {
      const list = listOf({ repository, tag, platform });
      const at = list.findIndex((one) => one.digest === digest);
      const now = clock.now();
      const known = list[at] ?? { repository, tag, platform, digest, firstSeenAt: now, since: now, seenAt: now };
      if (at === 0 && now - known.seenAt < day) return known.firstSeenAt;
      const sighting = { ...known, since: at === 0 ? known.since : now, seenAt: now };
      if (at >= 0) list.splice(at, 1);
      list.unshift(sighting);
      keep(() => store.putSighting(sighting));
      return sighting.firstSeenAt;
    },
    history: (repository, tag, platform) => sightings.get(join(repository, tag, platform)) ?? [],
    everSeen: (repository, tag) => seenTags.has(join(repository, tag)),
    quarantine(entry) {
      quarantine.set(join(entry.host, entry.name, entry.digest), entry.reason);
      keep(() => store.putQuarantine({ ...entry, since: clock.now() }));
    },
    quarantined: (host, name, digest) => quarantine.get(join(host, name, digest)),
    rememberEquals(list) {
      const now = clock.now();
      const news = list.flatMap((one) => {
        const { seenAt } = equalOf(one.repository, one.imageId);
        if (now - (seenAt.get(one.digest) ?? Number.NEGATIVE_INFINITY) < day) return [];
        seenAt.set(one.digest, now);
        return [{ ...one, seenAt: now }];
      });
      if (news.length > 0) keep(() => store.putEquals(news));
    },
    equalsOf: (repository, imageId) => [...(equals.get(join(repository, imageId))?.seenAt.keys() ?? [])],
    prune() {
      if (clock.now() - pruned < day) return;
      pruned = clock.now();
      keep(() => store.prune(pruned - forgetAfter));
      forget(pruned - forgetAfter);
    },
  };
}

function bySince(one: Sighting, other: Sighting): number {
  return other.since - one.since || other.firstSeenAt - one.firstSeenAt;
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}

function join(...parts: readonly string[]): string {
  return parts.join(' ');
}
