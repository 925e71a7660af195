import type { Answers } from './answers.ts';
import type { Inventory } from './inventory.ts';
import type { Judged, Judgement } from './judgement.ts';
import { isOwn, ownDigests } from './knowledge.ts';
import type { AskedFor } from './observed.ts';
import type { Asker, ReferenceQuestion } from './question.ts';

export interface GroupParts {
  readonly inventory: Inventory;
  readonly judgement: Judgement;
  readonly answers: Answers;
}

/** What a check asks, with the containers for which it was asked to. */
export interface CheckQuestion extends ReferenceQuestion {
  readonly wanted: readonly string[];
}

/** What a check of some containers comes to. */
export interface Grouped {
  readonly questions: readonly CheckQuestion[];
  /** Containers that need no question. */
  readonly quiet: readonly string[];
}

/**
 * One question for each distinct reference among the wanted containers, on behalf of all containers that use it, whatever the
 * host. `tags`: look for newer tags of the wanted ones, or of none; undefined: as their policies say. `wished`: all containers of the
 * check, of which `keys` may be those of one host.
 */
export function groupQuestions(
  { inventory, judgement, answers }: GroupParts,
  keys: readonly string[],
  tags: boolean | undefined,
  wished: ReadonlySet<string> = new Set(keys),
): Grouped {
  const groups = new Map<string, CheckQuestion & { wanted: string[]; askers: Asker[] }>();
  const quiet: string[] = [];
  for (const key of keys) {
    const judged = judgement.judged(key);
    if (judged === undefined) continue;
    const { question } = judged;
    if (question.kind !== 'ask') {
      quiet.push(key);
      continue;
    }
    const policy = judgement.policyOf(key);
    const wantsTags = policy.problem === null && (tags ?? policy.tags);
    const group = groups.get(question.key);
    if (group === undefined)
      groups.set(question.key, { ...question, askers: [], away: {}, wanted: [key], tags: wantsTags });
    else {
      group.wanted.push(key);
      groups.set(question.key, { ...group, tags: group.tags || wantsTags });
    }
  }
  const seen = new Set<string>();
  for (const key of groups.size === 0 ? [] : inventory.keys()) {
    const judged = judgement.judged(key);
    if (judged?.question.kind !== 'ask') continue;
    seen.add(key);
    groups.get(judged.question.key)?.askers.push(toAsker(key, judged, tags === true && wished.has(key)));
  }

  /** Containers on hosts whose images are not known: what they were told stays told. */
  function awayFrom(question: string): Record<string, AskedFor> {
    const told = Object.entries(answers.of(question).askers);
    return Object.fromEntries(told.filter(([key]) => !seen.has(key) && isAway(key)));
  }

  function isAway(key: string): boolean {
    const host = key.slice(0, key.lastIndexOf('/'));
    return inventory.container(key) !== undefined || !inventory.knows(host);
  }

  function toAsker(key: string, judged: Judged, asksForTags: boolean): Asker {
    const known = judgement.knowledge(key, judged);
    const { observed, policy, identity, answer } = known;
    const reference = identity.kind === 'named' ? identity.reference : undefined;
    const digests = reference === undefined ? [] : ownDigests(known, reference);
    const earlier = answer.askers[key]?.tags === true;
    return {
      key,
      platform: observed.running?.platform,
      named: observed.named?.id ?? null,
      policy,
      tags: policy.problem === null && (policy.tags || asksForTags || earlier),
      runs: (digest) => digest === reference?.digest || isOwn(known, digests, digest),
      ownDigest: digests.includes(observed.imageId) ? observed.imageId : undefined,
    };
  }

  return { questions: [...groups.values()].map((group) => ({ ...group, away: awayFrom(group.key) })), quiet };
}
