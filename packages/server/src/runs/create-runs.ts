import { randomBytes } from 'node:crypto';
import type { Run } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { Hosts } from '../hosts/index.ts';
import type { OperationContext, OperationRequest, Operations } from '../operations/index.ts';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import { type Clock, moment } from '../platform/clock.ts';
import type { Sealer } from '../platform/crypto/sealer.ts';
import { EngineError } from '../platform/engine/engine.ts';
import { describeError, Fault } from '../platform/fault.ts';
import { type Actor, systemActor } from '../platform/http/actor.ts';
import type { Log } from '../platform/log/log.ts';
import { RegistryError } from '../platform/registry/registry-client.ts';
import type { Store } from '../platform/store/store.ts';
import type { Registries } from '../registries/index.ts';
import type { SettingsSource } from '../settings/index.ts';
import type { Updates } from '../updates/index.ts';
import { type DriveParts, driveNew, driveRecovery } from './drive.ts';
import { createJournal, type StoredRun } from './journal-store.ts';
import { createLiveRun } from './live-run.ts';
import { locksOf } from './locks.ts';
import { NameQueue } from './name-queue.ts';
import { observe, type Situation } from './observe.ts';
import { keepRecent } from './retention.ts';
import { finding, isFinished, type JournalMember, type Wish } from './run.ts';
import type { Runs } from './runs.ts';
import { imageFacts, shownPlan, targetFacts } from './shown-plan.ts';
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
  /** Called before and after each journal record; only the kill matrix gives one. */
  readonly failpoint?: (point: string) => void;
}

/**
 * Takes up what an earlier process left unfinished at once (before this returns, so that nothing new can get hold of those containers),
 * and is then ready for new runs.
 */
export function createRuns(parts: RunsParts): Runs {
  const { hosts, containers, updates, store, settings, operations, clock, log } = parts;
  const journal = createJournal({
    store,
    sealer: parts.sealer,
    now: clock.now,
    ...(parts.failpoint === undefined ? {} : { failpoint: parts.failpoint }),
  });
  const collection = new LiveCollection<Run>({ topic: 'runs', keyOf: ({ id }) => id });
  const drive: DriveParts = { ...parts, references: new NameQueue() };
  const queue = new NameQueue();
  const stored = journal.all();
  collection.publish(
    stored.map(({ run }) => run),
    [],
  );
  if (!store.readOnly) for (const one of stored) if (!isFinished(one.run.state)) takeUpOrTell(one);

  /** Writes the run down and starts its operation; a refusal leaves no trace. */
  function begin(wish: Wish, situation: Situation, actor: Actor, sharedLocks: ReadonlySet<string>): Begun {
    const [main] = situation.members;
    if (main === undefined) throw new Error('A run without its container.');
    const id = randomBytes(6).toString('hex');
    const run = queuedRun(id, wish, main, situation, actor, moment(clock.now()));
    const entry: StoredRun = { run, wish, furthest: 'PLANNED', failure: null, keptImage: null };
    const names = situation.members.map(({ name }) => `${wish.host}/${name}`);
    const locks = locksOf(wish.host, situation.members).filter((lock) => !sharedLocks.has(lock));
    journal.insert(entry);
    try {
      const turn = queue.enter(names);
      const live = createLiveRun({ journal, collection, now: clock.now, stored: entry, members: [] });
      const operation = operations.start({
        ...requestFor(run, locks, actor, true),
        id,
        work: async (context) => {
          try {
            await turn.ready;
            return await driveNew(drive, live, context);
          } finally {
            turn.leave();
            await tidy(run);
          }
        },
      });
      collection.put(collection.get(id) ?? run);
      void operations.finished(id).then(() => {
        turn.leave();
        settleNeverBegun(id);
      });
      return { operation, locks };
    } catch (error) {
      journal.remove([id]);
      throw error;
    }
  }

  /** Cancelled while it waited for its turn: its work never began, so nobody else ends the run. */
  function settleNeverBegun(id: string): void {
    const run = collection.get(id);
    const operation = operations.collection.get(id);
    if (run?.state !== 'queued' || operation?.state !== 'cancelled') return;
    const entry = journal.get(id);
    if (entry === undefined) return;
    const live = createLiveRun({ journal, collection, now: clock.now, stored: entry, members: [] });
    const reason = operation.summary ?? 'Cancelled before it began.';
    live.finish('cancelled', reason, { reason });
  }

  /** One that cannot be read (the key is missing) must not keep the server from starting. */
  function takeUpOrTell(entry: StoredRun): void {
    try {
      takeUp(entry);
    } catch (error) {
      const reason = `This run was interrupted and cannot be finished: ${describeError(error)}`;
      log.error({ run: entry.run.id, reason }, 'an interrupted run cannot be taken up');
      collection.put({ ...entry.run, reason });
    }
  }

  function takeUp(entry: StoredRun): void {
    const { id } = entry.run;
    const members = journal.members(id);
    const shown = members.length === 0 ? entry.run : { ...entry.run, recovered: true };
    const live = createLiveRun({ journal, collection, now: clock.now, stored: { ...entry, run: shown }, members });
    const names = members.length === 0 ? [entry.run.name] : members.map(({ name }) => name);
    const turn = queue.enter(names.map((name) => `${entry.run.host}/${name}`));
    const request = requestFor(entry.run, locksOf(entry.run.host, members), systemActor, members.length === 0);
    const work = async (context: OperationContext) => {
      try {
        await turn.ready;
        return members.length === 0 ? await driveNew(drive, live, context) : await driveRecovery(drive, live, context);
      } finally {
        turn.leave();
        await tidy(entry.run);
      }
    };
    const known = operations.unfinished().some((operation) => operation.id === id);
    // Without its operation (it ended before its run did) the run is taken up under the same id anew.
    if (known) operations.resume(id, { ...request, work });
    else operations.start({ ...request, id: `${id}-recovery-${clock.now()}`, run: id, work });
  }

  function requestFor(
    run: Run,
    locks: readonly string[],
    actor: Actor,
    cancellable: boolean,
  ): Omit<OperationRequest, 'id' | 'work'> {
    return {
      kind: run.kind,
      title:
        run.kind === 'update' ? `Update ${run.name} to ${run.to.image}` : `Roll ${run.name} back to ${run.to.image}`,
      host: run.host,
      targets: [run.name],
      locks,
      lane: { name: `runs/${run.host}`, limit: settings.current().parallelRuns },
      run: run.id,
      actor,
      cancellable,
    };
  }

  async function tidy(run: Run): Promise<void> {
    const now = collection.get(run.id);
    if (now === undefined || !isFinished(now.state)) return;
    try {
      await keepRecent({ hosts, journal, collection, log }, run, settings.current().keepImages);
    } catch (error) {
      log.warn({ run: run.id, reason: describeError(error) }, 'old runs and images could not be cleared');
    }
  }

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

  return {
    collection,
    find,
    async plan(request, signal) {
      const wish = updateWish({ containers, updates }, request);
      return shownPlan(wish, await telling(observe(drive, wish, signal)));
    },
    async start(requests, actor) {
      const asked = await Promise.all(requests.map((request) => situate(request)));
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
          const { operation, locks } = begin(one.wish, one.situation, actor, taken);
          for (const lock of locks) taken.add(lock);
          result.run = operation.id;
        } catch (error) {
          if (error instanceof Fault && (error.kind === 'remote-sick' || error.kind === 'bug')) throw error;
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
      return shownPlan(wish, await telling(observe(drive, wish, signal)));
    },
    async rollBack(id, options, actor) {
      const wish = rollbackWish(findStored(id), options.gate);
      const situation = await telling(observe(drive, wish));
      const [refusal] = situation.refusals;
      if (refusal !== undefined)
        throw new Fault('not_updatable', [refusal.text, refusal.remedy ?? ''].join(' ').trim());
      return begin(wish, situation, actor, new Set()).operation;
    },
    async close() {},
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

interface Begun {
  readonly operation: ReturnType<Operations['start']>;
  readonly locks: readonly string[];
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

/** What others depend on comes first. */
function inOrder(asked: readonly ({ situation: Situation } | { refusal: unknown })[]): number[] {
  const ordered: number[] = [];
  const visit = (index: number, path: readonly number[]): void => {
    if (ordered.includes(index) || path.includes(index)) return;
    const one = asked[index];
    if (one !== undefined && 'situation' in one) {
      for (const [other, candidate] of asked.entries()) {
        if (other === index || !('situation' in candidate)) continue;
        const dependsOnOther = candidate.situation.dependants.some(
          ({ container }) => container.Id === one.situation.container.Id,
        );
        if (dependsOnOther) visit(other, [...path, index]);
      }
    }
    ordered.push(index);
  };
  for (const index of asked.keys()) visit(index, []);
  return ordered;
}

function queuedRun(
  id: string,
  wish: Wish,
  main: JournalMember,
  situation: Situation,
  actor: Actor,
  createdAt: string,
): Run {
  return {
    id,
    host: wish.host,
    name: wish.name,
    kind: wish.kind,
    strategy: situation.strategy,
    state: 'queued',
    phase: 'PLANNED',
    actor: actor.name,
    from: imageFacts(main.inspect.Config.Image ?? '', main.oldImage),
    to: targetFacts(wish.target),
    oldContainer: main.inspect.Id,
    newContainer: null,
    steps: [],
    warnings: [],
    reason: null,
    failedLog: null,
    gapMilliseconds: null,
    recovered: false,
    rollbackAvailable: false,
    createdAt,
    startedAt: null,
    finishedAt: null,
  };
}
