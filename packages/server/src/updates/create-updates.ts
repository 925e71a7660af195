import type { Operation, Update } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { Hosts } from '../hosts/index.ts';
import type { OperationContext, Operations } from '../operations/index.ts';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import { type Clock, moment } from '../platform/clock.ts';
import { describeError, Fault } from '../platform/fault.ts';
import { systemActor } from '../platform/http/actor.ts';
import type { Log } from '../platform/log/log.ts';
import type { Store } from '../platform/store/store.ts';
import type { Registries } from '../registries/index.ts';
import type { SettingsSource } from '../settings/index.ts';
import { createAnswers } from './answers.ts';
import { decide } from './candidates.ts';
import { askReference, type ReferenceQuestion } from './check.ts';
import { choose } from './choose.ts';
import { digestsOf, identify, questionOf } from './identity.ts';
import { createInventory } from './inventory.ts';
import { unasked } from './observed.ts';
import { createPolicyReader, type UpdatePolicy } from './policy.ts';
import { formatReference, repositoryOf } from './reference.ts';
import { createSchedule } from './schedule.ts';
import type { Updates } from './updates.ts';
import { createUpdatesStore } from './updates-store.ts';

export interface UpdatesOptions {
  readonly hosts: Hosts;
  readonly containers: Containers;
  readonly registries: Registries;
  readonly store: Store;
  readonly settings: SettingsSource;
  readonly operations: Operations;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** How long new containers wait for the check that they cause. Default 5 seconds. */
  readonly soonMilliseconds?: number;
}

/** Names in the title and targets of a check of few containers. */
const mostNames = 20;

export function createUpdates(options: UpdatesOptions): Updates {
  const { hosts, containers, registries, settings, operations, clock, log } = options;
  const collection = new LiveCollection<Update>({ topic: 'updates', keyOf: ({ key }) => key });
  const answers = createAnswers({ store: createUpdatesStore(options.store), clock, log });
  const readPolicy = createPolicyReader();
  const checking = new Set<string>();
  const checkedAt = new Map<string, number>();
  const namedWhenAsked = new Map<string, string>();
  /** Containers for which somebody asked for newer tags although no label does. */
  const tagsAsked = new Set<string>();
  const fresh = new Set<string>();
  let closed = false;

  const inventory = createInventory({
    hosts,
    containers,
    log,
    onChange(keys, added) {
      for (const key of added) fresh.add(key);
      publish(keys);
      if (keys.some((key) => fresh.has(key)) && settings.current().checkEveryMinutes > 0) schedule.nudge();
    },
    onGone(keys) {
      for (const key of keys) {
        for (const memory of [checking, checkedAt, namedWhenAsked, tagsAsked, fresh]) memory.delete(key);
      }
      collection.publish([], keys);
    },
  });
  const schedule = createSchedule({
    clock,
    random: options.random ?? Math.random,
    everyMinutes: () => settings.current().checkEveryMinutes,
    due: () => startByItself([...inventory.keys()].filter((key) => policyOf(key).watched)),
    soonMilliseconds: options.soonMilliseconds ?? 5000,
    soon: checkFresh,
  });
  const stopSettings = settings.onChange(() => {
    schedule.restart();
    publish(inventory.keys());
  });
  inventory.start();

  function policyOf(key: string): UpdatePolicy {
    const policy = readPolicy(inventory.container(key)?.labels ?? {}, settings.current());
    return tagsAsked.has(key) ? { ...policy, tags: true } : policy;
  }

  function questionFor(key: string) {
    const observed = inventory.observed(key);
    if (observed === undefined) return undefined;
    const identity = identify(observed);
    return { observed, identity, question: questionOf(observed, identity) };
  }

  function isEqual(repository: string, digest: string, imageId: string): boolean {
    return answers.isEqual(repository, digest, imageId);
  }

  function toUpdate(key: string): Update | undefined {
    const container = inventory.container(key);
    if (container === undefined) return undefined;
    const policy = policyOf(key);
    const asked = questionFor(key);
    const common = {
      key,
      host: container.host,
      container: container.id,
      name: container.name,
      stack: container.stack,
      image: container.image,
      watched: policy.watched,
      checking: checking.has(key),
    };
    if (asked === undefined) {
      const reason = 'The images of the host are not known yet.';
      const running = {
        imageId: container.imageId,
        digest: null,
        tag: null,
        version: null,
        createdAt: null,
        platform: null,
      };
      const never = { reference: null, checkedAt: null, lastGoodAt: null, lastGoodState: null };
      return { ...common, ...never, state: 'unknown', reason, running, candidates: [] };
    }
    const { observed, identity, question } = asked;
    const reference = identity.kind === 'named' ? identity.reference : undefined;
    const repository = reference === undefined ? '' : repositoryOf(reference);
    const answer = question.kind === 'ask' ? answers.of(question.key) : unasked;
    const platform = observed.running?.platform ?? '';
    const decision = decide({
      observed,
      identity,
      question,
      policy,
      answer,
      namedWhenAsked: namedWhenAsked.get(key),
      imageOf: (digest) => answers.image(repository, digest, platform),
      isEqual: (digest) => isEqual(repository, digest, observed.imageId),
      firstSeen: (tag, digest) => answers.firstSeen(repository, tag, platform, digest) ?? answer.goodAt ?? clock.now(),
      quarantined: (digest) => answers.quarantined(container.host, container.name, digest),
      minimumAgeHours: settings.current().minimumAgeHours,
      now: clock.now(),
    });
    const at = question.kind === 'ask' ? answer.askedAt : (checkedAt.get(key) ?? null);
    const created = observed.running?.created ?? null;
    return {
      ...common,
      reference: reference === undefined ? null : formatReference(reference),
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

  function publish(keys: Iterable<string>): void {
    if (closed) return;
    collection.publish(
      [...keys].flatMap((key) => toUpdate(key) ?? []),
      [],
    );
  }

  function startByItself(keys: readonly string[]): void {
    if (closed || keys.length === 0) return;
    try {
      check({ keys, actor: systemActor });
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'the automatic check could not be started');
    }
  }

  /**
   * Containers that appeared: only those whose reference has no recent answer are worth a question. One whose image is not known
   * yet stays fresh: the end of the look at the images of its host brings us here again.
   */
  function checkFresh(): void {
    const recent = clock.now() - settings.current().checkEveryMinutes * 60_000;
    const keys: string[] = [];
    for (const key of fresh) {
      const asked = questionFor(key);
      if (asked?.observed.running === undefined) continue;
      fresh.delete(key);
      const { question } = asked;
      if (question.kind !== 'ask' || !policyOf(key).watched) continue;
      if ((answers.of(question.key).goodAt ?? 0) < recent) keys.push(key);
    }
    startByItself(keys);
  }

  function check({ keys, tags, actor }: Parameters<Updates['check']>[0]): Operation {
    const wanted =
      keys === undefined ? [...inventory.keys()].filter((key) => policyOf(key).watched) : [...new Set(keys)];
    for (const key of wanted) {
      if (inventory.container(key) === undefined)
        throw new Fault('not_found', `There is no container ${key} to check.`);
    }
    const names = wanted.flatMap((key) => inventory.container(key)?.name ?? []);
    const few = names.length <= mostNames;
    const what = names.length === 1 ? `${names[0]}` : `${names.length} containers`;
    return operations.start({
      kind: 'check',
      title: keys === undefined ? 'Check all containers for updates' : `Check ${what} for updates`,
      host: null,
      targets: few ? names : [],
      locks: [],
      lane: { name: 'check', limit: 4 },
      actor,
      cancellable: true,
      work: (context) => runCheck(wanted, tags, context),
    });
  }

  async function runCheck(
    keys: readonly string[],
    tags: boolean | undefined,
    context: OperationContext,
  ): Promise<string> {
    for (const key of keys) checking.add(key);
    publish(keys);
    try {
      await refreshHosts(keys, context);
      for (const key of keys) if (tags === true) tagsAsked.add(key);
      const questions = groupQuestions(keys, tags);
      let done = 0;
      const total = questions.length;
      context.progress({ done, total, text: `Asking for ${total} references` });
      await Promise.allSettled(
        questions.map(async (question) => {
          await askReference(
            { client: registries.client, answers, clock, minimumAgeHours: settings.current().minimumAgeHours },
            question,
            context.signal,
          );
          done += 1;
          const failure = answers.of(question.key).failure;
          if (failure !== null) context.log('warn', `${question.key}: ${failure}`);
          context.progress({ done, total, text: question.key });
          finish(question.keys);
        }),
      );
      context.signal.throwIfAborted();
      return summaryOf(keys, questions);
    } finally {
      finish(keys);
    }
  }

  function finish(keys: readonly string[]): void {
    for (const key of keys) checking.delete(key);
    publish(keys.filter((key) => inventory.container(key) !== undefined));
  }

  async function refreshHosts(keys: readonly string[], context: OperationContext): Promise<void> {
    const wanted = new Set(keys.flatMap((key) => inventory.container(key)?.host ?? []));
    await Promise.all(
      [...wanted].map((host) =>
        inventory.refresh(host).catch((error: unknown) => {
          context.log(
            'warn',
            `The images of the host ${host} could not be read, its last picture is used: ${describeError(error)}`,
          );
        }),
      ),
    );
  }

  /** One question for each distinct reference, whatever the host; what needs no question is judged at once. */
  function groupQuestions(
    keys: readonly string[],
    tags: boolean | undefined,
  ): (ReferenceQuestion & { keys: string[] })[] {
    const groups = new Map<
      string,
      ReferenceQuestion & { keys: string[]; askers: ReferenceQuestion['askers'][number][] }
    >();
    const quiet: string[] = [];
    for (const key of keys) {
      const asked = questionFor(key);
      if (asked === undefined) continue;
      const { observed, question } = asked;
      if (question.kind !== 'ask') {
        checkedAt.set(key, clock.now());
        quiet.push(key);
        continue;
      }
      const policy = policyOf(key);
      const repository = repositoryOf(question.reference);
      const own = new Set([
        ...digestsOf(observed.running, question.reference),
        observed.imageId,
        question.reference.digest,
      ]);
      const runs = (digest: string) => own.has(digest) || isEqual(repository, digest, observed.imageId);
      const asker = { platform: observed.running?.platform, policy, runs };
      if (observed.named) namedWhenAsked.set(key, observed.named.id);
      const group = groups.get(question.key);
      const wantsTags = tags ?? policy.tags;
      if (group) {
        group.askers.push(asker);
        group.keys.push(key);
        groups.set(question.key, { ...group, tags: group.tags || wantsTags });
      } else groups.set(question.key, { ...question, askers: [asker], keys: [key], tags: wantsTags });
    }
    finish(quiet);
    return [...groups.values()];
  }

  function summaryOf(keys: readonly string[], questions: readonly ReferenceQuestion[]): string {
    const updates = keys.flatMap((key) => collection.get(key) ?? []);
    const newer = updates.filter(({ candidates }) => candidates.some(({ blocked }) => blocked === null)).length;
    const failed = questions.filter(({ key }) => answers.of(key).failure !== null).length;
    const trouble = failed === 0 ? '' : `, ${failed} of them without an answer`;
    return `${questions.length} references asked for${trouble}; ${newer} of ${updates.length} containers have something newer.`;
  }

  return {
    collection,
    check,
    choose(host, containerId, candidateId) {
      const key = `${host}/${containerId}`;
      const update = collection.get(key);
      if (update === undefined)
        throw new Fault('not_found', `There is no container ${containerId} on the host ${host}.`);
      return choose(update, questionFor(key)?.identity, candidateId);
    },
    quarantine({ host, name, candidateId, digest, reason }) {
      answers.quarantine({ host, name, candidate: candidateId, digest, reason });
      publish(
        [...inventory.keys()].filter((key) => {
          const container = inventory.container(key);
          return container?.host === host && container.name === name;
        }),
      );
    },
    rememberEqual({ repository, digest, imageId }) {
      answers.rememberEqual(repository, digest, imageId);
      publish(inventory.keys());
    },
    async close() {
      closed = true;
      inventory.close();
      stopSettings();
      await schedule.close();
    },
  };
}
