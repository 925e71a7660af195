import type { Operation } from '@evenkeel/contract';
import type { OperationContext, Operations } from '../operations/index.ts';
import type { Clock } from '../platform/clock.ts';
import { describeError, Fault } from '../platform/fault.ts';
import type { Registries } from '../registries/index.ts';
import type { Answers } from './answers.ts';
import { askReference } from './check.ts';
import { type CheckQuestion, groupQuestions } from './group-questions.ts';
import type { Inventory } from './inventory.ts';
import type { Judgement } from './judgement.ts';
import type { Retries } from './retries.ts';
import type { Updates } from './updates.ts';

export interface ChecksParts {
  readonly operations: Operations;
  readonly inventory: Inventory;
  readonly judgement: Judgement;
  readonly answers: Answers;
  readonly registries: Registries;
  readonly retries: Retries;
  readonly clock: Clock;
  readonly minimumAgeHours: () => number;
  /** Containers of which something has changed. */
  readonly publish: (keys: Iterable<string>) => void;
  /** Counts for the summary: how many of these containers have something newer. */
  readonly newerAmong: (keys: readonly string[]) => number;
}

/** Checks as operations. */
export interface Checks {
  readonly start: Updates['check'];
  isChecking(key: string): boolean;
  /** When a container that needs no question was last looked at (epoch milliseconds). */
  checkedAt(key: string): number | null;
  forget(key: string): void;
}

/** Names in the title and targets of a check of few containers. */
const mostNames = 20;
/** How long a check waits for the images of a host; its last picture is used then. */
const lookMilliseconds = 10_000;

interface Asked {
  readonly question: CheckQuestion;
  readonly done: Promise<void>;
}

/** One check while it runs. */
interface Round {
  readonly keys: readonly string[];
  readonly tags: boolean | undefined;
  readonly context: OperationContext;
  readonly asked: Map<string, Asked>;
  done: number;
}

export function createChecks(parts: ChecksParts): Checks {
  const { operations, inventory, judgement, answers, clock, publish } = parts;
  const checking = new Set<string>();
  const checkedAt = new Map<string, number>();

  function start({ keys, tags, actor }: Parameters<Updates['check']>[0]): Operation {
    const all = () => [...inventory.keys()].filter((key) => judgement.policyOf(key).watched);
    const wanted = keys === undefined ? all() : [...new Set(keys)];
    for (const key of wanted) {
      if (inventory.container(key) === undefined)
        throw new Fault('not_found', `There is no container ${key} to check.`);
    }
    const names = wanted.flatMap((key) => inventory.container(key)?.name ?? []);
    const what = names.length === 1 ? `${names[0]}` : `${names.length} containers`;
    return operations.start({
      kind: 'check',
      title: keys === undefined ? 'Check all containers for updates' : `Check ${what} for updates`,
      host: null,
      targets: names.length <= mostNames ? names : [],
      locks: [],
      lane: { name: 'check', limit: 4, longest: 50 },
      actor,
      cancellable: true,
      work: (context) => run({ keys: wanted, tags, context, asked: new Map(), done: 0 }),
    });
  }

  async function run(round: Round): Promise<string> {
    const { keys, context } = round;
    mark(keys);
    const byHost = Map.groupBy(keys, (key) => inventory.container(key)?.host ?? '');
    try {
      // A host that hangs holds back nobody else's questions.
      await Promise.all([...byHost].map(([host, own]) => askForHost(round, host, own)));
      context.signal.throwIfAborted();
      answers.prune();
      return summaryOf(round);
    } finally {
      unmark(keys);
    }
  }

  async function askForHost(round: Round, host: string, keys: readonly string[]): Promise<void> {
    await lookAt(host, round.context);
    const { questions, quiet } = groupQuestions(
      { inventory, judgement, answers },
      keys,
      round.tags,
      new Set(round.keys),
    );
    for (const key of quiet) checkedAt.set(key, clock.now());
    publish(quiet);
    const ends = await Promise.allSettled(questions.map((question) => askOnce(round, question)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** The image list of the engine, for as long as we are willing to wait for it. */
  async function lookAt(host: string, { signal, log }: OperationContext): Promise<void> {
    const warn = (why: string) =>
      log('warn', `The images of the host ${host} could not be read, its last picture is used: ${why}`);
    const waiting = new AbortController();
    const look = inventory.refresh(host).catch((error: unknown) => warn(describeError(error)));
    const late = clock.sleep(lookMilliseconds, AbortSignal.any([signal, waiting.signal])).then(
      () => warn('its engine does not answer'),
      () => undefined,
    );
    await Promise.race([look, late]);
    waiting.abort();
    signal.throwIfAborted();
  }

  /** Hosts share a question, unless it was asked without the tags or before one of the containers was known. */
  function askOnce(round: Round, question: CheckQuestion): Promise<void> {
    const before = round.asked.get(question.key);
    const told = new Set(before?.question.askers.map(({ key }) => key));
    const enough = before !== undefined && (before.question.tags || !question.tags);
    if (enough && question.wanted.every((key) => told.has(key))) return before.done;
    const done = ask(round, question);
    round.asked.set(question.key, { question, done });
    return done;
  }

  async function ask(round: Round, question: CheckQuestion): Promise<void> {
    const { context } = round;
    const { client } = parts.registries;
    const minimumAgeHours = parts.minimumAgeHours();
    await askReference({ client, signsIn, answers, clock, minimumAgeHours }, question, context.signal);
    round.done += 1;
    const answer = answers.of(question.key);
    const unread = Object.values(answer.unread);
    for (const failure of [answer.failure, answer.tagsFailure, ...unread]) {
      if (failure !== null) context.log('warn', `${question.key}: ${failure}`);
    }
    const troubled = answer.failure !== null || answer.tagsFailure !== null || unread.length > 0;
    // A refused password is not tried again and again: that locks accounts.
    if (troubled && answer.failureKind !== 'denied') {
      parts.retries.failed(question.key, client.health(question.reference.host).coolDownUntil);
    } else parts.retries.succeeded(question.key);
    context.progress({ done: round.done, total: round.asked.size, text: question.key });
    unmark(question.wanted);
    publish(question.askers.map(({ key }) => key));
  }

  /** A credential helper that fails has credentials to give. */
  async function signsIn(host: string): Promise<boolean> {
    try {
      return (await parts.registries.pullAuth(host)) !== undefined;
    } catch {
      return true;
    }
  }

  function mark(keys: readonly string[]): void {
    for (const key of keys) checking.add(key);
    publish(keys);
  }

  function unmark(keys: readonly string[]): void {
    for (const key of keys) checking.delete(key);
    publish(keys);
  }

  function summaryOf({ keys, asked }: Round): string {
    const failed = [...asked.keys()].filter((key) => answers.of(key).failure !== null).length;
    const trouble = failed === 0 ? '' : `, ${failed} of them without an answer`;
    return `${asked.size} references asked for${trouble}; ${parts.newerAmong(keys)} of ${keys.length} containers have something newer.`;
  }

  return {
    start,
    isChecking: (key) => checking.has(key),
    checkedAt: (key) => checkedAt.get(key) ?? null,
    forget(key) {
      checking.delete(key);
      checkedAt.delete(key);
    },
  };
}
