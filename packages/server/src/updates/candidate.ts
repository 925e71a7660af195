import type { Candidate, UpdateLevel } from '@evenkeel/contract';
import { earlierDigests, firstSeenOf } from './history.ts';
import { configChanges, layerDelta, sizeOf } from './image-changes.ts';
import { isRunning, type Knowledge, runsDigest } from './knowledge.ts';
import type { RemoteImage } from './observed.ts';
import { isWithin } from './policy.ts';
import { compareTags, levelOf, namesOtherPlatform, type VersionTag } from './tag-family.ts';

const hour = 3_600_000;

/** What an image would be as an update of the running one, with what holds it back. */
export function toCandidate(
  knowledge: Knowledge,
  found: { tag: string; level: UpdateLevel; remote: RemoteImage },
  digests: readonly string[],
): Candidate {
  const { observed, imageOf } = knowledge;
  const { tag, level, remote } = found;
  const { running } = observed;
  const firstSeenAt = ageOf(knowledge, tag, remote);
  const delta =
    running && remote.layerSizes.length > 0 ? layerDelta(running.layers, remote.diffIds, remote.layerSizes) : undefined;
  const size = sizeOf(remote.layerSizes);
  const own = digests.map(imageOf).find((image) => image !== undefined && image.layerSizes.length > 0);
  const before = own === undefined ? null : sizeOf(own.layerSizes);
  return {
    id: `${tag}@${remote.digest}`,
    tag,
    digest: remote.digest,
    platformDigest: remote.platformDigest,
    imageId: remote.imageId,
    level,
    version: remote.version,
    createdAt: remote.created,
    firstSeenAt: new Date(firstSeenAt).toISOString(),
    sizeBytes: size,
    sizeDeltaBytes: size === null || before === null ? null : size - before,
    downloadBytes: delta?.downloadBytes ?? null,
    newLayers: delta?.newLayers ?? null,
    sharedLayers: delta?.sharedLayers ?? null,
    configChanges:
      running && remote.platformDigest !== null && remote.unread === null
        ? configChanges(running.defaults, remote.defaults)
        : [],
    unread: remote.unread,
    source: remote.source,
    blocked: blockOf(knowledge, found, firstSeenAt),
  };
}

function ageOf({ history, imageOf, answer, now }: Knowledge, tag: string, remote: RemoteImage): number {
  return firstSeenOf(history(tag), remote, imageOf) ?? answer.goodAt ?? now;
}

function blockOf(
  { policy, quarantined, minimumAgeHours, now, observed }: Knowledge,
  { tag, level, remote }: { tag: string; level: UpdateLevel; remote: RemoteImage },
  firstSeenAt: number,
): Candidate['blocked'] {
  if (remote.platformDigest === null) {
    const platform = observed.running?.platform ?? 'this platform';
    return { code: 'platform-missing', reason: `${tag} has no image for ${platform}.` };
  }
  if (!isWithin(level, policy.level)) {
    return { code: 'level', reason: `${tag} is a ${level} step; the policy takes ${policy.level} at most.` };
  }
  const names = [remote.digest, remote.platformDigest, remote.imageId].filter((name) => name !== null);
  const rolledBack = names.map(quarantined).find((reason) => reason !== undefined);
  if (rolledBack !== undefined) return { code: 'quarantined', reason: `It was rolled back here before: ${rolledBack}` };
  const readyAt = firstSeenAt + minimumAgeHours * hour;
  if (readyAt > now) {
    const reason = `It is known since ${new Date(firstSeenAt).toISOString()} and is proposed from ${new Date(readyAt).toISOString()} on.`;
    return { code: 'too-new', reason };
  }
  return null;
}

/** Greater tags of the family that were looked at, greatest first. */
export function tagCandidates(knowledge: Knowledge, tag: string, digests: readonly string[]): Candidate[] {
  const { answer, policy, imageOf, observed, asked } = knowledge;
  const from = policy.parse(tag);
  const wanted = policy.tags || (policy.problem === null && asked?.tags === true);
  if (from === undefined || !wanted) return [];
  const found = answer.picks.flatMap((pick): { version: VersionTag; candidate: Candidate }[] => {
    const version = policy.parse(pick.tag);
    const remote = imageOf(pick.digest);
    if (version === undefined || remote === undefined || isRunning(knowledge, remote, digests)) return [];
    if (!policy.accepts(pick.tag) || compareTags(version, from) <= 0) return [];
    if (version.prerelease !== undefined && from.prerelease === undefined && !policy.prereleases) return [];
    if (namesOtherPlatform(pick.tag, tag, observed.running?.platform)) return [];
    const level = levelOf(from, version);
    return [{ version, candidate: toCandidate(knowledge, { tag: pick.tag, level, remote }, digests) }];
  });
  found.sort((one, other) => compareTags(other.version, one.version));
  return found.map(({ candidate }) => candidate);
}

/** While the newest image is too young, the one before it may be old enough: a push every day does not stop updates. */
export function earlierCandidate(
  knowledge: Knowledge,
  tag: string,
  digests: readonly string[],
  newest: string,
): Candidate | undefined {
  const { imageOf, history, minimumAgeHours, now } = knowledge;
  if (minimumAgeHours === 0) return undefined;
  const running = (digest: string) => runsDigest(knowledge, digests, digest);
  for (const digest of earlierDigests(history(tag), newest, running, now - minimumAgeHours * hour)) {
    const remote = imageOf(digest);
    if (remote === undefined || remote.platformDigest === null || isRunning(knowledge, remote, digests)) continue;
    const candidate = toCandidate(knowledge, { tag, level: 'digest', remote }, digests);
    if (candidate.blocked === null) return candidate;
  }
  return undefined;
}

/** The candidate that is taken when nobody names one. */
export function bestCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.find(({ blocked }) => blocked === null);
}

/** A policy's level and a missing platform make a candidate none of ours; age and quarantine only hold it back. */
export function isProposable({ blocked }: Candidate): boolean {
  return blocked?.code !== 'level' && blocked?.code !== 'platform-missing';
}

/** When the first candidate that is only too new may be proposed (epoch milliseconds); undefined when there is none. */
export function readyAt(candidates: readonly Candidate[], minimumAgeHours: number): number | undefined {
  const times = candidates.flatMap(({ blocked, firstSeenAt }) =>
    blocked?.code === 'too-new' ? [Date.parse(firstSeenAt) + minimumAgeHours * hour] : [],
  );
  return times.length === 0 ? undefined : Math.min(...times);
}
