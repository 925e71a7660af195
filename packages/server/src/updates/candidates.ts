import type { Candidate, UpdateLevel, UpdateState } from '@evenkeel/contract';
import { digestsOf, type Identity, type Question } from './identity.ts';
import { configChanges, layerDelta } from './image-changes.ts';
import type { Observed, ReferenceAnswer, RemoteImage } from './observed.ts';
import { isWithin, type UpdatePolicy } from './policy.ts';
import type { ImageReference } from './reference.ts';
import { compareTags, levelOf, namesOtherPlatform, parseTag, type VersionTag } from './tag-family.ts';

/** All that is known when the state of one container is judged. Nothing is asked here. */
export interface Knowledge {
  readonly observed: Observed;
  readonly identity: Identity;
  readonly question: Question;
  readonly policy: UpdatePolicy;
  readonly answer: ReferenceAnswer;
  /** The local id of the reference when the registry was last asked; tells a later pull from an old oddity. */
  readonly namedWhenAsked: string | undefined;
  /** The image behind a digest, for the platform of the running one, where it is known. */
  readonly imageOf: (digest: string) => RemoteImage | undefined;
  /** Digests that turned out to be the running image. */
  readonly isEqual: (digest: string) => boolean;
  /** Epoch milliseconds. */
  readonly firstSeen: (tag: string, digest: string) => number;
  readonly quarantined: (digest: string) => string | undefined;
  readonly minimumAgeHours: number;
  readonly now: number;
}

export interface Decision {
  readonly state: UpdateState;
  readonly reason: string | null;
  /** The state that the last good answer meant; null when there never was one. */
  readonly lastGoodState: UpdateState | null;
  readonly candidates: readonly Candidate[];
  /** The digest under which the running image is known in its repository. */
  readonly digest: string | null;
  readonly tag: string | null;
}

type Verdict = { state: UpdateState; reason: string | null; candidates: readonly Candidate[] };

/** Observed container + local images + registry answers → state, reason, candidates. */
export function decide(knowledge: Knowledge): Decision {
  const { observed, question, answer } = knowledge;
  if (question.kind === 'local') return settled('local', question.reason, null, null);
  if (question.kind === 'nameless') return settled('unknown', question.reason, null, null, null);
  const { identity } = knowledge;
  const reference = identity.kind === 'named' ? identity.reference : undefined;
  const digests = reference === undefined ? [] : digestsOf(observed.running, reference);
  if (question.kind === 'pinned') {
    return settled(
      'pinned',
      'The image is pinned by digest and never changes by itself.',
      reference?.digest ?? null,
      null,
    );
  }
  const known = answer.digest !== undefined && answer.digest !== null && digests.includes(answer.digest);
  const digest = known ? (answer.digest ?? null) : (digests[0] ?? null);
  const verdict = judge(knowledge, question.reference, question.tag, digests);
  return { ...verdict, digest, tag: question.tag };
}

function settled(
  state: UpdateState,
  reason: string,
  digest: string | null,
  tag: string | null,
  lastGoodState: UpdateState | null = state,
): Decision {
  return { state, reason, lastGoodState, candidates: [], digest, tag };
}

/** The last good answer decides what is newer; a failure since then only takes away the certainty, never a candidate. */
function judge(
  knowledge: Knowledge,
  reference: ImageReference,
  tag: string,
  digests: readonly string[],
): Omit<Decision, 'digest' | 'tag'> {
  const { answer } = knowledge;
  const good = answer.digest === undefined ? undefined : judgeAnswer(knowledge, reference, tag, digests, answer.digest);
  const lastGoodState = good?.state ?? null;
  const failure = answer.failure;
  if (failure !== null && answer.failureKind === 'denied' && looksLocal(knowledge, reference)) {
    const reason = 'The image was built on this host: no registry knows a repository of this name.';
    return { state: 'local', reason, lastGoodState: 'local', candidates: [] };
  }
  if (failure !== null || good === undefined) {
    const pulled = judgePulled(knowledge, tag, digests, reference);
    const candidates = good && good.candidates.length > 0 ? good.candidates : (pulled?.candidates ?? []);
    if (pulled !== undefined && (good === undefined || good.state === 'pulled-not-applied')) {
      return { ...pulled, reason: join(pulled.reason, failure), lastGoodState, candidates };
    }
    return { state: 'unknown', reason: failure ?? 'Not checked yet.', lastGoodState, candidates };
  }
  const nothingNewer = good.state === 'up-to-date' || good.state === 'index-only-change';
  if (answer.tagsFailure !== null && knowledge.policy.tags && nothingNewer) {
    return { state: 'unknown', reason: answer.tagsFailure, lastGoodState, candidates: good.candidates };
  }
  return { ...good, reason: join(good.reason, knowledge.policy.problem), lastGoodState };
}

function judgeAnswer(
  knowledge: Knowledge,
  reference: ImageReference,
  tag: string,
  digests: readonly string[],
  digest: string | null,
): Verdict {
  if (reference.digest !== undefined) return judgePinned(knowledge, reference.digest, tag, digests, digest);
  if (digest === null) return judgeMissing(knowledge, reference, tag, digests);
  const same = judgeSameTag(knowledge, reference, tag, digests, digest);
  const tags = tagCandidates(knowledge, tag, digests);
  const candidates = [...tags, ...same.candidates].sort(
    (one, other) => Number(one.blocked !== null) - Number(other.blocked !== null),
  );
  const proposed = tags.filter(({ blocked }) => isProposable(blocked));
  const [best] = proposed.filter(({ blocked }) => blocked === null);
  if (best !== undefined) return { state: 'tag-update', reason: `${best.tag} is newer (${best.level}).`, candidates };
  const quiet = same.state === 'up-to-date' || same.state === 'index-only-change';
  const [held] = proposed;
  if (quiet && held !== undefined) return { state: 'tag-update', reason: held.blocked?.reason ?? null, candidates };
  return { ...same, candidates };
}

/** A policy's level and a missing platform make a candidate none of ours; age and quarantine only hold it back. */
function isProposable(blocked: Candidate['blocked']): boolean {
  return blocked?.code !== 'level' && blocked?.code !== 'platform-missing';
}

function judgePinned(
  { imageOf }: Knowledge,
  pinned: string,
  tag: string,
  digests: readonly string[],
  digest: string | null,
): Verdict {
  if (digest === null)
    return {
      state: 'gone',
      reason: `The registry no longer knows the tag ${tag}; the pinned digest stays.`,
      candidates: [],
    };
  const child = imageOf(digest)?.platformDigest;
  const same =
    digest === pinned || digests.includes(digest) || child === pinned || (child != null && digests.includes(child));
  if (same)
    return { state: 'pinned', reason: 'The image is pinned by digest, and its tag still names it.', candidates: [] };
  const reason = `The image is pinned by digest; the tag ${tag} has moved to ${short(digest)}. Change the reference to follow it.`;
  return { state: 'pinned-tag-moved', reason, candidates: [] };
}

/** With the containerd image store a local build has a digest too: its own id. */
function looksLocal({ observed }: Knowledge, reference: ImageReference): boolean {
  const ownDigest = observed.running?.repoDigests.some((text) => text.endsWith(`@${observed.imageId}`)) ?? false;
  return ownDigest && !/[./]/.test(reference.spelling);
}

function judgeMissing(
  knowledge: Knowledge,
  reference: ImageReference,
  tag: string,
  digests: readonly string[],
): Verdict {
  if (looksLocal(knowledge, reference)) {
    return { state: 'local', reason: 'The image was built on this host: no registry knows it.', candidates: [] };
  }
  const candidates = tagCandidates(knowledge, tag, digests);
  if (digests.length === 0) {
    return { state: 'unknown', reason: `The registry does not know ${reference.spelling}:${tag}.`, candidates };
  }
  const [best] = candidates;
  const also = best === undefined ? '' : ` ${best.tag} exists.`;
  return { state: 'gone', reason: `The registry no longer knows ${reference.spelling}:${tag}.${also}`, candidates };
}

function judgeSameTag(
  knowledge: Knowledge,
  reference: ImageReference,
  tag: string,
  digests: readonly string[],
  digest: string,
): Verdict {
  const { observed, imageOf, isEqual } = knowledge;
  const pulled = judgePulled(knowledge, tag, digests, reference);
  if (digests.includes(digest) || digest === observed.imageId || isEqual(digest)) {
    return pulled ?? { state: 'up-to-date', reason: null, candidates: [] };
  }
  const remote = imageOf(digest);
  if (remote === undefined) {
    return {
      state: 'unknown',
      reason: `The tag ${tag} has moved, but what it names could not be read yet.`,
      candidates: [],
    };
  }
  if (remote.platformDigest === null) {
    const candidate = toCandidate(knowledge, { tag, level: 'digest', remote });
    const reason = `The tag ${tag} has moved to images without ${observed.running?.platform ?? 'this platform'}.`;
    return { state: 'index-only-change', reason, candidates: [candidate] };
  }
  if (isRunning(knowledge, remote, digests)) {
    return (
      pulled ?? { state: 'index-only-change', reason: 'Only images of other platforms have changed.', candidates: [] }
    );
  }
  const candidate = toCandidate(knowledge, { tag, level: 'digest', remote });
  const earlier = earlierCandidate(knowledge, tag, digests);
  const candidates = earlier === undefined ? [candidate] : [earlier, candidate];
  if (namesImage(observed, reference, remote)) {
    return { state: 'pulled-not-applied', reason: pulledReason(tag), candidates };
  }
  return { state: 'digest-update', reason: candidate.blocked?.reason ?? `The tag ${tag} has moved.`, candidates };
}

/** While the newest image is too young, the one before it may be old enough: a push every day does not stop updates. */
function earlierCandidate(knowledge: Knowledge, tag: string, digests: readonly string[]): Candidate | undefined {
  const { settled: earlier } = knowledge.answer;
  const remote = earlier === null || earlier === knowledge.answer.digest ? undefined : knowledge.imageOf(earlier);
  if (remote === undefined || remote.platformDigest === null || isRunning(knowledge, remote, digests)) return undefined;
  const candidate = toCandidate(knowledge, { tag, level: 'digest', remote });
  return candidate.blocked === null ? candidate : undefined;
}

/** The engine already has another image under this name: a pull (or a build) that no container uses yet. */
function judgePulled(
  knowledge: Knowledge,
  tag: string,
  digests: readonly string[],
  reference: ImageReference,
): Verdict | undefined {
  const { observed, namedWhenAsked, answer } = knowledge;
  const { named } = observed;
  if (reference.digest !== undefined || named === undefined || named.id === observed.imageId) return undefined;
  const asked = typeof answer.digest === 'string';
  // The registry says that the running image is the newest, and the name meant this other one then already.
  if (asked && namedWhenAsked === named.id) return undefined;
  const [digest] = digestsOf(named, reference).filter((one) => !digests.includes(one));
  if (digest === undefined) {
    const reason = `Another image stands under ${reference.spelling}:${tag} on this host, and it came from no registry.`;
    return { state: 'pulled-not-applied', reason, candidates: [] };
  }
  const remote: RemoteImage = knowledge.imageOf(digest) ?? {
    digest,
    platformDigest: digest,
    imageId: named.id,
    created: named.created,
    version: named.defaults.Labels?.['org.opencontainers.image.version'] ?? null,
    source: null,
    layerSizes: [],
    diffIds: named.layers,
    defaults: named.defaults,
  };
  const candidate = { ...toCandidate(knowledge, { tag, level: 'digest', remote }), downloadBytes: 0 };
  return { state: 'pulled-not-applied', reason: pulledReason(tag), candidates: [candidate] };
}

function namesImage({ named, imageId }: Observed, reference: ImageReference, remote: RemoteImage): boolean {
  if (named === undefined || named.id === imageId) return false;
  const digests = digestsOf(named, reference);
  return (
    named.id === remote.imageId || digests.includes(remote.digest) || digests.includes(remote.platformDigest ?? '')
  );
}

function isRunning({ observed, isEqual }: Knowledge, remote: RemoteImage, digests: readonly string[]): boolean {
  const { digest, platformDigest, imageId } = remote;
  if (digests.includes(digest) || isEqual(digest)) return true;
  if (platformDigest !== null && (digests.includes(platformDigest) || platformDigest === observed.imageId)) return true;
  return imageId !== null && imageId === observed.imageId;
}

function tagCandidates(knowledge: Knowledge, tag: string, digests: readonly string[]): Candidate[] {
  const { answer, policy, imageOf, observed } = knowledge;
  const from = parseTag(tag);
  if (from === undefined || !policy.tags) return [];
  const found = answer.picks.flatMap((pick): { version: VersionTag; candidate: Candidate }[] => {
    const version = parseTag(pick.tag);
    const remote = imageOf(pick.digest);
    if (version === undefined || remote === undefined || isRunning(knowledge, remote, digests)) return [];
    if (!policy.accepts(pick.tag) || compareTags(version, from) <= 0) return [];
    if (version.prerelease !== undefined && from.prerelease === undefined && !policy.prereleases) return [];
    if (namesOtherPlatform(pick.tag, tag, observed.running?.platform)) return [];
    return [{ version, candidate: toCandidate(knowledge, { tag: pick.tag, level: levelOf(from, version), remote }) }];
  });
  found.sort((one, other) => compareTags(other.version, one.version));
  return found.map(({ candidate }) => candidate);
}

function toCandidate(knowledge: Knowledge, found: { tag: string; level: UpdateLevel; remote: RemoteImage }): Candidate {
  const { observed, firstSeen } = knowledge;
  const { tag, level, remote } = found;
  const { running } = observed;
  const firstSeenAt = firstSeen(tag, remote.digest);
  const delta =
    running && remote.layerSizes.length > 0 ? layerDelta(running.layers, remote.diffIds, remote.layerSizes) : undefined;
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
    sizeBytes: delta?.sizeBytes ?? null,
    downloadBytes: delta?.downloadBytes ?? null,
    newLayers: delta?.newLayers ?? null,
    sharedLayers: delta?.sharedLayers ?? null,
    configChanges: running && remote.platformDigest !== null ? configChanges(running.defaults, remote.defaults) : [],
    source: remote.source,
    blocked: blockOf(knowledge, found, firstSeenAt),
  };
}

function blockOf(
  { policy, quarantined, minimumAgeHours, now, observed }: Knowledge,
  { tag, level, remote }: { tag: string; level: UpdateLevel; remote: RemoteImage },
  firstSeenAt: number,
): Candidate['blocked'] {
  if (remote.platformDigest === null) {
    return {
      code: 'platform-missing',
      reason: `${tag} has no image for ${observed.running?.platform ?? 'this platform'}.`,
    };
  }
  if (!isWithin(level, policy.level)) {
    return { code: 'level', reason: `${tag} is a ${level} step; the policy takes ${policy.level} at most.` };
  }
  const rolledBack = quarantined(remote.digest);
  if (rolledBack !== undefined) return { code: 'quarantined', reason: `It was rolled back here before: ${rolledBack}` };
  const readyAt = firstSeenAt + minimumAgeHours * 3_600_000;
  if (readyAt > now) {
    const reason = `It is known since ${new Date(firstSeenAt).toISOString()} and is proposed from ${new Date(readyAt).toISOString()} on.`;
    return { code: 'too-new', reason };
  }
  return null;
}

/** The candidate that is taken when nobody names one. */
export function bestCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.find(({ blocked }) => blocked === null);
}

function pulledReason(tag: string): string {
  return `A newer image of ${tag} is on this host already, but the container still runs the old one.`;
}

function join(...parts: readonly (string | null)[]): string | null {
  const present = parts.filter((part) => part !== null && part !== '');
  return present.length === 0 ? null : present.join(' ');
}

function short(digest: string): string {
  return digest.slice(0, 19);
}
