import type { Update } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { Hosts } from '../hosts/index.ts';
import type { Operations } from '../operations/index.ts';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Clock } from '../platform/clock.ts';
import { describeError, Fault } from '../platform/fault.ts';
import { systemActor } from '../platform/http/actor.ts';
import type { Log } from '../platform/log/log.ts';
import type { Store } from '../platform/store/store.ts';
import type { Registries } from '../registries/index.ts';
import type { SettingsSource } from '../settings/index.ts';
import { createAnswers } from './answers.ts';
import { createChecks } from './check-operation.ts';
import { choose } from './choose.ts';
import { createInventory } from './inventory.ts';
import { createJudgement } from './judgement.ts';
import type { LocalImage } from './observed.ts';
import { parseReference, repositoryOf } from './reference.ts';
import { createRetries } from './retries.ts';
import { createRipening } from './ripening.ts';
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

export function createUpdates(options: UpdatesOptions): Updates {
  const { hosts, containers, registries, settings, operations, clock, log } = options;
  const random = options.random ?? Math.random;
  const everyMinutes = () => settings.current().checkEveryMinutes;
  const collection = new LiveCollection<Update>({ topic: 'updates', keyOf: ({ key }) => key });
  const answers = createAnswers({ store: createUpdatesStore(options.store), clock, log });
  /** Containers of which nobody has decided yet whether they need a question. */
  const fresh = new Set<string>();
  let closed = false;

  const inventory = createInventory({
    hosts,
    containers,
    clock,
    log,
    onImages: (images) => answers.rememberEquals(images.flatMap(equalsOf)),
    onChange(keys, added) {
      for (const key of added) fresh.add(key);
      publish(keys);
      nudgeFor(keys);
    },
    onGone(keys) {
      for (const key of keys) {
        checks.forget(key);
        ripening.forget(key);
        fresh.delete(key);
      }
      collection.publish([], keys);
    },
  });
  const judgement = createJudgement({
    inventory,
    answers,
    settings,
    clock,
    checkedAt: (key) => checks.checkedAt(key),
    isChecking: (key) => checks.isChecking(key),
  });
  const ripening = createRipening({ clock, due: publish });
  const retries = createRetries({
    clock,
    random,
    everyMinutes,
    ask: (references) =>
      startByItself(
        [...inventory.keys()].filter((key) => {
          const question = judgement.judged(key)?.question;
          return question?.kind === 'ask' && references.has(question.key) && judgement.policyOf(key).watched;
        }),
      ),
  });
  const checks = createChecks({
    operations,
    inventory,
    judgement,
    answers,
    registries,
    retries,
    clock,
    minimumAgeHours: () => settings.current().minimumAgeHours,
    publish,
    newerAmong: (keys) =>
      keys.filter((key) => collection.get(key)?.candidates.some(({ blocked }) => blocked === null)).length,
  });
  const schedule = createSchedule({
    clock,
    random,
    everyMinutes,
    due: () => startByItself([...inventory.keys()].filter((key) => judgement.policyOf(key).watched)),
    soonMilliseconds: options.soonMilliseconds ?? 5000,
    soon: checkFresh,
  });
  let interval = everyMinutes();
  const stopSettings = settings.onChange(() => {
    if (everyMinutes() !== interval) schedule.restart();
    interval = everyMinutes();
    // What is wanted may have changed, newer tags for example.
    for (const key of inventory.keys()) fresh.add(key);
    publish(inventory.keys());
    nudgeFor(inventory.keys());
  });
  inventory.start();

  function publish(keys: Iterable<string>): void {
    if (closed) return;
    const updates = [...keys].flatMap((key) => judgement.toUpdate(key) ?? []);
    const { minimumAgeHours } = settings.current();
    for (const update of updates) ripening.note(update, minimumAgeHours);
    collection.publish(updates, []);
  }

  function nudgeFor(keys: Iterable<string>): void {
    if (everyMinutes() > 0 && [...keys].some((key) => fresh.has(key))) schedule.nudge();
  }

  function startByItself(keys: readonly string[]): void {
    if (closed || keys.length === 0) return;
    try {
      checks.start({ keys, actor: systemActor });
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'the automatic check could not be started');
    }
  }

  /**
   * Only those are asked for of which no recent answer says enough. A container whose image is not known yet stays fresh: the
   * end of the look at the images of its host brings us here again.
   */
  function checkFresh(): void {
    const recent = clock.now() - everyMinutes() * 60_000;
    const keys: string[] = [];
    for (const key of fresh) {
      const judged = judgement.judged(key);
      if (judged?.observed.running === undefined) continue;
      fresh.delete(key);
      if (judgement.needsQuestion(key, judged, recent)) keys.push(key);
    }
    startByItself(keys);
  }

  /** The names under which an index, its manifest for the platform and its configuration may come back. */
  function namesOf(key: string, digest: string): string[] {
    const judged = judgement.judged(key);
    const image = judged && judgement.knowledge(key, judged).imageOf(digest);
    return [digest, image?.platformDigest, image?.imageId].filter((name) => typeof name === 'string');
  }

  return {
    collection,
    check: checks.start,
    choose(host, containerId, candidateId) {
      const key = `${host}/${containerId}`;
      const update = judgement.toUpdate(key);
      if (update === undefined)
        throw new Fault('not_found', `There is no container ${containerId} on the host ${host}.`);
      return choose(update, judgement.judged(key)?.identity, candidateId);
    },
    quarantine({ host, name, candidateId, digest, reason }) {
      const keys = [...inventory.keys()].filter((key) => {
        const container = inventory.container(key);
        return container?.host === host && container.name === name;
      });
      for (const one of new Set([digest, ...keys.flatMap((key) => namesOf(key, digest))])) {
        answers.quarantine({ host, name, candidate: candidateId, digest: one, reason });
      }
      publish(keys);
    },
    rememberEqual(entry) {
      answers.rememberEquals([entry]);
      publish(inventory.keys());
    },
    async close() {
      closed = true;
      inventory.close();
      ripening.close();
      retries.close();
      stopSettings();
      await schedule.close();
    },
  };
}

/** With the containerd image store, where an image loses its digests with its name: what it was known by as long as it had one. */
function equalsOf({ id, repoDigests }: LocalImage) {
  return repoDigests.flatMap((text) => {
    const parsed = parseReference(text);
    if (!parsed.ok || parsed.reference.digest !== id) return [];
    return [{ repository: repositoryOf(parsed.reference), digest: id, imageId: id }];
  });
}
