import type { UpdateState } from '@evenkeel/contract';
import { earlierCandidate, isProposable, tagCandidates, toCandidate } from './candidate.ts';
import { digestsOf } from './identity.ts';
import { isOwn, isRunning, isStranger, type Knowledge, ownDigests, runsDigest, type Verdict } from './knowledge.ts';
import type { RemoteImage } from './observed.ts';
import { type ImageReference, repositoryOf } from './reference.ts';

export interface Decision extends Verdict {
  /** The state that the last good answer meant; null when there never was one. */
  readonly lastGoodState: UpdateState | null;
  /** The digest under which the running image is known in its repository. */
  readonly digest: string | null;
  readonly tag: string | null;
}

/** What is compared: the reference and tag that were asked for, and the digests of the running image there. */
interface Compared {
  readonly reference: ImageReference;
  readonly tag: string;
  readonly digests: readonly string[];
}

/** Observed container + local images + registry answers → state, reason, candidates. */
export function decide(knowledge: Knowledge): Decision {
  const { question, answer, identity } = knowledge;
  if (question.kind === 'local') return settled('local', question.reason, null);
  if (question.kind === 'nameless') return { ...settled('unknown', question.reason, null), lastGoodState: null };
  const reference = identity.kind === 'named' ? identity.reference : undefined;
  if (question.kind === 'pinned') {
    return settled('pinned', 'The image is pinned by digest and never changes by itself.', reference?.digest ?? null);
  }
  const digests = reference === undefined ? [] : ownDigests(knowledge, reference);
  const known = typeof answer.digest === 'string' && isOwn(knowledge, digests, answer.digest);
  const digest = known ? (answer.digest ?? null) : (digests[0] ?? null);
  const verdict = judge(knowledge, { reference: question.reference, tag: question.tag, digests });
  return { ...verdict, digest, tag: question.tag };
}

function settled(state: UpdateState, reason: string, digest: string | null): Decision {
  return { state, reason, lastGoodState: state, candidates: [], digest, tag: null };
}

/** The last good answer decides what is newer; a failure since then only takes away the certainty, never a candidate. */
function judge(knowledge: Knowledge, compared: Compared): Omit<Decision, 'digest' | 'tag'> {
  const { answer, policy, asked } = knowledge;
  const good = answer.digest === undefined ? undefined : judgeAnswer(knowledge, compared, answer.digest);
  const lastGoodState = good?.state ?? null;
  const { failure } = answer;
  if (failure !== null && answer.failureKind === 'denied' && !answer.signedIn && looksLocal(knowledge, compared)) {
    const reason = 'The image was built on this host: no registry knows a repository of this name.';
    return { state: 'local', reason, lastGoodState: 'local', candidates: [] };
  }
  if (failure !== null || good === undefined) {
    const pulled = judgePulled(knowledge, compared);
    const candidates = good && good.candidates.length > 0 ? good.candidates : (pulled?.candidates ?? []);
    if (pulled !== undefined && (good === undefined || good.state === 'pulled-not-applied')) {
      return { ...pulled, reason: join(pulled.reason, failure), lastGoodState, candidates };
    }
    return { state: 'unknown', reason: failure ?? 'Not checked yet.', lastGoodState, candidates };
  }
  const note = policy.tags ? tagsNote(knowledge, compared.tag) : null;
  if (note !== null && isQuiet(good)) {
    return { state: 'unknown', reason: note, lastGoodState, candidates: good.candidates };
  }
  return { ...good, reason: join(good.reason, policy.problem, asked?.tagsNote ?? null), lastGoodState };
}

/** Why nobody can say that there is no newer tag. */
function tagsNote({ answer, asked, policy }: Knowledge, tag: string): string | null {
  if (answer.tagsFailure !== null) return answer.tagsFailure;
  if (policy.parse(tag) === undefined) return null;
  if (asked?.tags !== true) return 'Newer tags have not been looked for yet.';
  return asked.tagsNote;
}

function isQuiet({ state }: Verdict): boolean {
  return state === 'up-to-date' || state === 'index-only-change';
}

function judgeAnswer(knowledge: Knowledge, compared: Compared, digest: string | null): Verdict {
  const { tag, digests, reference } = compared;
  if (reference.digest !== undefined) return judgePinned(knowledge, compared, reference.digest, digest);
  if (digest === null) return judgeMissing(knowledge, compared);
  const same = judgeSameTag(knowledge, compared, digest);
  if (isStranger(knowledge, digests)) return same;
  const tags = tagCandidates(knowledge, tag, digests);
  const candidates = [...tags, ...same.candidates].sort(
    (one, other) => Number(one.blocked !== null) - Number(other.blocked !== null),
  );
  const proposed = tags.filter(isProposable);
  const best = proposed.find(({ blocked }) => blocked === null);
  if (best !== undefined) return { state: 'tag-update', reason: `${best.tag} is newer (${best.level}).`, candidates };
  const [held] = proposed;
  if (isQuiet(same) && held !== undefined) {
    return { state: 'tag-update', reason: held.blocked?.reason ?? null, candidates };
  }
  return { ...same, candidates };
}

function judgePinned(knowledge: Knowledge, { tag, digests }: Compared, pinned: string, digest: string | null): Verdict {
  if (digest === null) {
    const reason = `The registry no longer knows the tag ${tag}; the pinned digest stays.`;
    return { state: 'gone', reason, candidates: [] };
  }
  const remote = knowledge.imageOf(digest);
  if (
    digest === pinned ||
    runsDigest(knowledge, digests, digest) ||
    (remote !== undefined && remote.platformDigest === pinned)
  ) {
    return { state: 'pinned', reason: 'The image is pinned by digest, and its tag still names it.', candidates: [] };
  }
  if (remote === undefined) {
    return unknown(`The image is pinned by digest. ${unreadReason(knowledge, tag)}`);
  }
  const reason = `The image is pinned by digest; the tag ${tag} has moved to ${short(digest)}. Change the reference to follow it.`;
  return { state: 'pinned-tag-moved', reason, candidates: [] };
}

/**
 * With the containerd image store a local build has a digest too: its own id. An image that was pulled there looks the same;
 * what a registry has ever given is none of those.
 */
function looksLocal({ observed, everGiven }: Knowledge, { reference }: Compared): boolean {
  const { running, imageId } = observed;
  const ownDigest = running?.repoDigests.every((text) => text.endsWith(`@${imageId}`)) === true;
  return ownDigest && !everGiven && !/[./]/.test(reference.spelling);
}

function judgeMissing(knowledge: Knowledge, compared: Compared): Verdict {
  const { reference, tag, digests } = compared;
  const name = `${reference.spelling}:${tag}`;
  if (looksLocal(knowledge, compared)) {
    return { state: 'local', reason: 'The image was built on this host: no registry knows it.', candidates: [] };
  }
  const candidates = isStranger(knowledge, digests) ? [] : tagCandidates(knowledge, tag, digests);
  if (digests.length === 0 && !knowledge.everGiven) {
    return { state: 'unknown', reason: `The registry does not know ${name}.`, candidates };
  }
  if (knowledge.asked === undefined) return { ...unknown(appearedReason(tag)), candidates };
  const [best] = candidates;
  const also = best === undefined ? '' : ` ${best.tag} exists.`;
  return { state: 'gone', reason: `The registry no longer knows ${name}.${also}`, candidates };
}

function judgeSameTag(knowledge: Knowledge, compared: Compared, digest: string): Verdict {
  const { observed, imageOf, asked } = knowledge;
  const { tag, digests, reference } = compared;
  const pulled = judgePulled(knowledge, compared);
  if (isOwn(knowledge, digests, digest)) return pulled ?? { state: 'up-to-date', reason: null, candidates: [] };
  const remote = imageOf(digest);
  if (isStranger(knowledge, digests))
    return judgeStranger(knowledge, compared, digest, remote) ?? pulled ?? stranger(compared);
  const named = namedAs(knowledge, reference, digest, remote);
  if (remote !== undefined && isRunning(knowledge, remote, digests)) {
    const reason = 'Only images of other platforms have changed.';
    const quiet: Verdict = { state: 'index-only-change', reason, candidates: [] };
    return named === undefined ? (pulled ?? quiet) : quiet;
  }
  if (named !== undefined) {
    const candidate = { ...toCandidate(knowledge, { tag, level: 'digest', remote: named }, digests), downloadBytes: 0 };
    return { state: 'pulled-not-applied', reason: pulledReason(tag), candidates: [candidate] };
  }
  if (observed.running === undefined) {
    return (
      pulled ?? unknown('The engine no longer has the image that the container runs: nothing can be compared with it.')
    );
  }
  const seen = asked !== undefined || knowledge.history(tag).some((one) => runsDigest(knowledge, digests, one.digest));
  if (remote === undefined) return unknown(seen ? unreadReason(knowledge, tag) : appearedReason(tag));
  const candidate = toCandidate(knowledge, { tag, level: 'digest', remote }, digests);
  if (remote.platformDigest === null) {
    const reason = `The tag ${tag} has moved to images without ${observed.running.platform}.`;
    return { state: 'index-only-change', reason, candidates: [candidate] };
  }
  // The answer may be older than the image: a container that came later may run what was pushed since.
  if (!seen) return pulled ?? unknown(appearedReason(tag));
  const earlier = earlierCandidate(knowledge, tag, digests, digest);
  const candidates = earlier === undefined ? [candidate] : [earlier, candidate];
  return { state: 'digest-update', reason: candidate.blocked?.reason ?? `The tag ${tag} has moved.`, candidates };
}

/** The same content under two names is no stranger. */
function judgeStranger(
  knowledge: Knowledge,
  { digests }: Compared,
  digest: string,
  remote: RemoteImage | undefined,
): Verdict | undefined {
  const { observed } = knowledge;
  const same = [digest, remote?.platformDigest ?? digest].some((one) =>
    observed.running?.repoDigests.some((text) => text.endsWith(`@${one}`)),
  );
  if (same || (remote !== undefined && isRunning(knowledge, remote, digests))) {
    return { state: 'up-to-date', reason: null, candidates: [] };
  }
  return undefined;
}

function stranger({ reference }: Compared): Verdict {
  const where = repositoryOf(reference);
  return unknown(
    `The running image did not come from ${where}, it only bears its name here: what ${where} holds is no update of it.`,
  );
}

/** The engine already has another image under this name: a pull (or a build) that no container uses yet. */
function judgePulled(knowledge: Knowledge, { tag, digests, reference }: Compared): Verdict | undefined {
  const { observed, asked, answer, imageOf } = knowledge;
  const { named } = observed;
  if (reference.digest !== undefined || named === undefined || named.id === observed.imageId) return undefined;
  // The registry says that the running image is the newest, and the name meant this other one then already.
  if (typeof answer.digest === 'string' && asked?.named === named.id) return undefined;
  const [digest] = digestsOf(named, reference).filter((one) => !digests.includes(one));
  if (digest === undefined || isStranger(knowledge, digests)) {
    const origin = digest === undefined ? 'it came from no registry' : 'the running one did not come from there';
    const reason = `Another image stands under ${reference.spelling}:${tag} on this host, and ${origin}.`;
    return { state: 'pulled-not-applied', reason, candidates: [] };
  }
  const remote = imageOf(digest) ?? standIn(knowledge, digest);
  const candidate = { ...toCandidate(knowledge, { tag, level: 'digest', remote }, digests), downloadBytes: 0 };
  return { state: 'pulled-not-applied', reason: pulledReason(tag), candidates: [candidate] };
}

/** The image of the registry where the engine already has it under the name, and the container runs another. */
function namedAs(
  knowledge: Knowledge,
  reference: ImageReference,
  digest: string,
  remote: RemoteImage | undefined,
): RemoteImage | undefined {
  const { named, imageId } = knowledge.observed;
  if (named === undefined || named.id === imageId) return undefined;
  const names = [named.id, ...digestsOf(named, reference)];
  const wanted = [digest, remote?.platformDigest, remote?.imageId];
  if (!wanted.some((one) => typeof one === 'string' && names.includes(one))) return undefined;
  return remote ?? standIn(knowledge, digest);
}

/** What the engine knows of the image that bears the name, in place of what the registry would say. */
function standIn({ observed }: Knowledge, digest: string): RemoteImage {
  const { named } = observed;
  return {
    digest,
    platformDigest: digest,
    imageId: named?.id ?? null,
    created: named?.created ?? null,
    version: named?.defaults.Labels?.['org.opencontainers.image.version'] ?? null,
    source: null,
    layerSizes: [],
    diffIds: named?.layers ?? [],
    defaults: named?.defaults ?? {},
    unread: null,
  };
}

function unknown(reason: string): Verdict {
  return { state: 'unknown', reason, candidates: [] };
}

function unreadReason({ answer, observed }: Knowledge, tag: string): string {
  const why = answer.unread[observed.running?.platform ?? ''];
  const moved = `The tag ${tag} has moved, but what it names could not be read`;
  return why === undefined ? `${moved} yet.` : `${moved}: ${why}`;
}

function appearedReason(tag: string): string {
  return `The container is newer than the last answer about the tag ${tag}; it has to be checked again.`;
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
