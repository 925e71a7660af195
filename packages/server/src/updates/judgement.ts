import type { Update } from '@evenkeel/contract';
import { type Clock, moment } from '../platform/clock.ts';
import type { SettingsSource } from '../settings/index.ts';
import type { Answers } from './answers.ts';
import { decide } from './candidates.ts';
import { type Identity, identify, type Question, questionOf } from './identity.ts';
import type { Inventory } from './inventory.ts';
import { type Knowledge, ownDigests, runsDigest } from './knowledge.ts';
import { type Observed, unasked } from './observed.ts';
import { createPolicyReader, type UpdatePolicy } from './policy.ts';
import { effectiveTag, formatReference, repositoryOf } from './reference.ts';

export interface JudgementParts {
  readonly inventory: Inventory;
  readonly answers: Answers;
  readonly settings: SettingsSource;
  readonly clock: Clock;
  /** When a container that needs no question was last looked at (epoch milliseconds). */
  readonly checkedAt: (key: string) => number | null;
  readonly isChecking: (key: string) => boolean;
}

/** One container with what has to be asked for it. */
export interface Judged {
  readonly observed: Observed;
  readonly identity: Identity;
  readonly question: Question;
}

/** Brings together what is known of a container and judges it; asks nobody. */
export interface Judgement {
  policyOf(key: string): UpdatePolicy;
  /** Undefined for an unknown container, and while the images of its host are not known. */
  judged(key: string): Judged | undefined;
  /** All that is known of a container, as it is judged. */
  knowledge(key: string, judged: Judged): Knowledge;
  /** As of now. Undefined for an unknown container. */
  toUpdate(key: string): Update | undefined;
  /** True where no answer since `recent` (epoch milliseconds) says all that is wanted of this watched container. */
  needsQuestion(key: string, judged: Judged, recent: number): boolean;
}

export function createJudgement(parts: JudgementParts): Judgement {
  const { inventory, answers, settings, clock } = parts;
  const readPolicy = createPolicyReader();

  function policyOf(key: string): UpdatePolicy {
    return readPolicy(inventory.container(key)?.labels ?? {}, settings.current());
  }

  function judged(key: string): Judged | undefined {
    const observed = inventory.observed(key);
    if (observed === undefined) return undefined;
    const identity = identify(observed);
    if (identity.kind === 'nameless') return { observed, identity, question: questionOf(observed, identity) };
    const repository = repositoryOf(identity.reference);
    const seen =
      answers.equalsOf(repository, observed.imageId).length > 0 ||
      answers.everSeen(repository, effectiveTag(identity.reference) ?? '');
    return { observed, identity, question: questionOf(observed, identity, seen) };
  }

  function knowledge(key: string, { observed, identity, question }: Judged): Knowledge {
    const container = inventory.container(key);
    const answer = question.kind === 'ask' ? answers.of(question.key) : unasked;
    const reference = identity.kind === 'named' ? identity.reference : undefined;
    const repository = reference === undefined ? '' : repositoryOf(reference);
    const platform = observed.running?.platform ?? '';
    const tag = question.kind === 'ask' ? question.tag : '';
    return {
      observed,
      identity,
      question,
      policy: policyOf(key),
      answer,
      asked: answer.askers[key],
      everGiven: typeof answer.digest === 'string' || answers.everSeen(repository, tag),
      imageOf: (digest) => answers.image(repository, digest, platform),
      remembered: answers.equalsOf(repository, observed.imageId),
      history: (name) => answers.history(repository, name, platform),
      quarantined: (digest) => answers.quarantined(container?.host ?? '', container?.name ?? '', digest),
      minimumAgeHours: settings.current().minimumAgeHours,
      now: clock.now(),
    };
  }

  function toUpdate(key: string): Update | undefined {
    const container = inventory.container(key);
    if (container === undefined) return undefined;
    const common = {
      key,
      host: container.host,
      container: container.id,
      name: container.name,
      stack: container.stack,
      image: container.image,
      watched: policyOf(key).watched,
      checking: parts.isChecking(key),
    };
    const found = judged(key);
    if (found === undefined) {
      const reason = 'The images of the host are not known yet.';
      const running = { ...nothingKnown, imageId: container.imageId };
      const never = { reference: null, checkedAt: null, lastGoodAt: null, lastGoodState: null };
      return { ...common, ...never, state: 'unknown', reason, running, candidates: [] };
    }
    const known = knowledge(key, found);
    const { observed, identity, answer, question } = known;
    const decision = decide(known);
    const at = question.kind === 'ask' ? answer.askedAt : parts.checkedAt(key);
    const created = observed.running?.created ?? null;
    return {
      ...common,
      reference: identity.kind === 'named' ? formatReference(identity.reference) : null,
      state: decision.state,
      reason: decision.reason,
      checkedAt: at === null ? null : moment(at),
      lastGoodAt: answer.goodAt === null ? null : moment(answer.goodAt),
      lastGoodState: decision.lastGoodState,
      running: {
        imageId: observed.imageId,
        digest: decision.digest,
        tag: decision.tag,
        version: observed.running?.defaults.Labels?.['org.opencontainers.image.version'] || null,
        createdAt: created === null || Number.isNaN(Date.parse(created)) ? null : moment(Date.parse(created)),
        platform: observed.running?.platform ?? null,
      },
      candidates: [...decision.candidates],
    };
  }

  function needsQuestion(key: string, found: Judged, recent: number): boolean {
    const known = knowledge(key, found);
    const { question, answer, policy, asked, identity, observed } = known;
    if (question.kind !== 'ask' || identity.kind !== 'named' || !policy.watched) return false;
    if ((answer.goodAt ?? 0) < recent || answer.failure !== null || answer.tagsFailure !== null) return true;
    if (answer.unread[observed.running?.platform ?? ''] !== undefined) return true;
    if (policy.tags && asked?.tags !== true && policy.parse(question.tag) !== undefined) return true;
    const digests = ownDigests(known, identity.reference);
    const current = typeof answer.digest === 'string' && runsDigest(known, digests, answer.digest);
    return asked === undefined && !current;
  }

  return { policyOf, judged, knowledge, toUpdate, needsQuestion };
}

const nothingKnown = { digest: null, tag: null, version: null, createdAt: null, platform: null };
