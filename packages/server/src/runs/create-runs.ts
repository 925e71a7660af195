import type { Run } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { Hosts } from '../hosts/index.ts';
import type { Operations } from '../operations/index.ts';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Clock } from '../platform/clock.ts';
import type { Sealer } from '../platform/crypto/sealer.ts';
import { EngineError } from '../platform/engine/engine.ts';
import { Fault } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import { mapBounded } from '../platform/map-bounded.ts';
import { RegistryError } from '../platform/registry/registry-client.ts';
import type { Store } from '../platform/store/store.ts';
import type { Registries } from '../registries/index.ts';
import type { SettingsSource } from '../settings/index.ts';
import type { Updates } from '../updates/index.ts';
import { inOrder } from './batch.ts';
import type { DriveParts } from './ends.ts';
import { clearHandovers } from './handover-files.ts';
import { createJournal, type StoredRun } from './journal-store.ts';
import { NameQueue } from './name-queue.ts';
import { observe, type Situation } from './observe.ts';
import { finding, isFinished, type Wish } from './run.ts';
import { createRunWork } from './run-work.ts';
import type { Runs } from './runs.ts';
import { shownPlan } from './shown-plan.ts';
import type { Home } from './spec-handover.ts';
import { rollbackWish, updateWish } from './targets.ts';

export interface RunsParts {
  readonly hosts: Hosts;
  readonly containers: Containers;
  readonly updates: Updates;
  readonly registries: Registries;
  readonly store: Store;
  readonly sealer: Sealer;
  readonly settings: SettingsSource;
  readonly operations: Operations;
  readonly clock: Clock;
  readonly log: Log;
  /** Where our own data is. Without it the container in which we run is not updated. */
  readonly home?: Home;
  /** Called before and after each journal record; only the kill matrix gives one. */
  readonly failpoint?: (point: string) => void;
}

/** Each plan asks the engine and the registry some questions. */
const plansAtOnce = 4;

/**
 * Takes up what an earlier process left unfinished at once (before this returns, so that nothing new can get hold of those containers),
 * and is then ready for new runs.
 */
export function createRuns(parts: RunsParts): Runs {
  const { containers, updates, store, settings, operations, clock } = parts;
  const journal = createJournal({
    store,
    sealer: parts.sealer,
    now: clock.now,
    ...(parts.failpoint === undefined ? {} : { failpoint: parts.failpoint }),
  });
  const collection = new LiveCollection<Run>({ topic: 'runs', keyOf: ({ id }) => id });
  const drive: DriveParts = { ...parts, references: new NameQueue(), runs: collection };
  const work = createRunWork({ drive, journal, collection, operations, settings });
  const stored = journal.all();
  collection.publish(
    stored.map(({ run }) => run),
    [],
  );
  if (!store.readOnly && parts.home !== undefined) {
    const unfinished = stored.filter(({ run }) => !isFinished(run.state));
    clearHandovers(parts.home.dataDir, new Set(unfinished.map(({ run }) => run.id)));
  }
  if (!store.readOnly) for (const one of stored) if (!isFinished(one.run.state)) work.takeUp(one);

  function find(id: string): Run {
    const run = collection.get(id);
    if (run === undefined) throw new Fault('not_found', `There is no run ${id}. Old runs are forgotten after a while.`);
    return run;
  }

  function findStored(id: string): StoredRun {
    const run = find(id);
    const entry = journal.get(id);
    if (entry === undefined) throw new Fault('not_found', `There is no run ${id}.`);
    return { ...entry, run };
  }

  function shown(wish: Wish, situation: Situation) {
    const before = [...collection.values()].filter(
      ({ host, name, state, gapMilliseconds }) =>
        host === wish.host && name === wish.name && state === 'committed' && (gapMilliseconds ?? 0) > 0,
    );
    return shownPlan(wish, situation, before.at(-1)?.gapMilliseconds ?? undefined);
  }

  return {
    collection,
    find,
    async plan(request, signal) {
      const wish = updateWish({ containers, updates }, request);
      return shown(wish, await telling(observe(drive, wish, signal)));
    },
    async start(requests, actor) {
      const asked = await mapBounded(requests, plansAtOnce, situate);
      const results: { run: string | null; refusal: ReturnType<typeof finding> | null }[] = requests.map(() => ({
        run: null,
        refusal: null,
      }));
      const taken = new Set<string>();
      for (const index of inOrder(asked)) {
        const one = asked[index];
        const result = results[index];
        if (one === undefined || result === undefined) continue;
        if ('refusal' in one) {
          result.refusal = one.refusal;
          continue;
        }
        try {
          const { operation, names } = work.begin(one.wish, one.situation, actor, taken);
          for (const name of names) taken.add(name);
          result.run = operation.id;
        } catch (error) {
          const ours = error instanceof Fault && (error.kind === 'remote-sick' || error.kind === 'bug');
          // What has begun goes on: an answer that says "nothing was done" would be wrong then.
          if (ours && results.every(({ run }) => run === null)) throw error;
          result.refusal = refusalOf(error);
        }
      }
      return {
        results: requests.map(({ host, container }, index) => ({
          host,
          container,
          run: results[index]?.run ?? null,
          refusal: results[index]?.refusal ?? null,
        })),
      };
    },
    async planRollback(id, signal) {
      const wish = rollbackWish(findStored(id), undefined);
      return shown(wish, await telling(observe(drive, wish, signal)));
    },
    async rollBack(id, options, actor) {
      const wish = rollbackWish(findStored(id), options.gate);
      const situation = await telling(observe(drive, wish));
      const [refusal] = situation.refusals;
      if (refusal !== undefined)
        throw new Fault('not_updatable', [refusal.text, refusal.remedy ?? ''].join(' ').trim());
      return work.begin(wish, situation, actor, new Set()).operation;
    },
  };

  async function situate(
    request: Parameters<Runs['plan']>[0],
  ): Promise<{ wish: Wish; situation: Situation } | { refusal: ReturnType<typeof finding> }> {
    try {
      const wish = updateWish({ containers, updates }, request);
      const situation = await telling(observe(drive, wish));
      const [refusal] = situation.refusals;
      return refusal === undefined ? { wish, situation } : { refusal };
    } catch (error) {
      return { refusal: refusalOf(error) };
    }
  }
}

/** Errors of engine and registry, in the words of the routes. */
async function telling<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RegistryError)
      throw new Fault(error.kind === 'denied' ? 'registry_denied' : 'registry_sick', error.message, { cause: error });
    if (error instanceof EngineError)
      throw new Fault('engine_refused', `The engine refused ${error.call}: ${error.message}`, { cause: error });
    throw error;
  }
}

function refusalOf(error: unknown): ReturnType<typeof finding> {
  if (error instanceof Fault) return finding(error.code, error.message);
  throw error;
}
