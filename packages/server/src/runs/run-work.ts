import { randomBytes } from 'node:crypto';
import type { Operation, Run } from '@evenkeel/contract';
import type { OperationContext, OperationRequest, Operations } from '../operations/index.ts';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import { moment } from '../platform/clock.ts';
import { describeError, Fault } from '../platform/fault.ts';
import { type Actor, systemActor } from '../platform/http/actor.ts';
import type { SettingsSource } from '../settings/index.ts';
import { driveNew, driveRecovery } from './drive.ts';
import type { DriveParts } from './ends.ts';
import { removeHandover } from './handover-files.ts';
import type { Journal, StoredRun } from './journal-store.ts';
import { createLiveRun } from './live-run.ts';
import { locksOf, namesOf } from './locks.ts';
import { NameQueue, type Turn } from './name-queue.ts';
import type { Situation } from './observe.ts';
import { keepRecent } from './retention.ts';
import { isFinished, type JournalMember, type Wish } from './run.ts';
import { queuedRun } from './shown-plan.ts';

export interface RunWorkParts {
  readonly drive: DriveParts;
  readonly journal: Journal;
  readonly collection: LiveCollection<Run>;
  readonly operations: Operations;
  readonly settings: SettingsSource;
}

/** Runs as operations: written down first, each in its turn, and taken up again where an earlier process left them. */
export interface RunWork {
  /**
   * Writes the run down and starts its operation; a refusal (`busy`, `disk_full`, `read_only`) leaves no trace. `shared`: names that
   * other runs of the same request hold, for which it waits instead of being refused.
   */
  begin(wish: Wish, situation: Situation, actor: Actor, shared: ReadonlySet<string>): Begun;
  /** One that cannot be read (the key is missing) says so and does not keep the server from starting. */
  takeUp(entry: StoredRun): void;
}

export interface Begun {
  readonly operation: Operation;
  readonly names: readonly string[];
}

export function createRunWork(parts: RunWorkParts): RunWork {
  const { drive, journal, collection, operations, settings } = parts;
  const { hosts, clock, log } = drive;
  const queue = new NameQueue();
  /** Names of the runs that were taken up: those of one batch may share some. */
  const heldAgain = new Set<string>();

  /** Does the work when its turn comes. What it finds to be part of it only then must be free. */
  function inTurn(
    run: Run,
    locks: readonly string[],
    work: (context: OperationContext, claim: (members: readonly JournalMember[]) => void) => Promise<string>,
  ): { work: OperationRequest['work']; leave: () => void } {
    const turns: Turn[] = [queue.enter(locks)];
    const mine = new Set(locks);
    const leave = () => {
      for (const turn of turns) turn.leave();
    };
    const claim = (members: readonly JournalMember[]) => {
      const more = locksOf(run.host, members).filter((lock) => !mine.has(lock));
      const taken = more.find((lock) => queue.taken(lock));
      if (taken !== undefined)
        throw new Fault(
          'busy',
          `${run.name} now also needs ${taken}, on which another run is at work. Start it again.`,
        );
      for (const lock of more) mine.add(lock);
      turns.push(queue.enter(more));
    };
    return {
      leave,
      work: async (context) => {
        try {
          await Promise.race([turns[0]?.ready, aborted(context.signal)]);
          return await work(context, claim);
        } finally {
          leave();
          await tidy(run);
        }
      },
    };
  }

  function begin(wish: Wish, situation: Situation, actor: Actor, shared: ReadonlySet<string>): Begun {
    const [main] = situation.members;
    if (main === undefined) throw new Error('A run without its container.');
    const id = randomBytes(6).toString('hex');
    const run = queuedRun(id, wish, main, situation, actor, moment(clock.now()));
    const from = { image: main.inspect.Config.Image ?? '', imageId: main.inspect.Image };
    const entry: StoredRun = { run, wish: { ...wish, from }, furthest: 'PLANNED', failure: null, keptImage: null };
    const names = namesOf(wish.host, situation.members);
    journal.insert(entry);
    const live = createLiveRun({ journal, collection, now: clock.now, stored: entry, members: [] });
    const turn = inTurn(run, locksOf(wish.host, situation.members), (context, claim) =>
      driveNew(drive, live, context, claim),
    );
    try {
      const locks = names.filter((name) => !shared.has(name));
      const operation = operations.start({ ...requestFor(run, locks, actor, true), id, work: turn.work });
      collection.put(collection.get(id) ?? run);
      whenOver(operation.id, id, turn.leave);
      return { operation, names };
    } catch (error) {
      turn.leave();
      journal.remove([id]);
      throw error;
    }
  }

  /** Nobody waits for this: an error that came out of it would end the server. */
  function whenOver(operation: string, run: string, leave: () => void): void {
    void operations.finished(operation).then(() => {
      leave();
      endNeverBegun(run);
    });
  }

  /** Ended while it waited for its turn: its work never began, so nobody else ends the run. */
  function endNeverBegun(id: string): void {
    const run = collection.get(id);
    const operation = operations.collection.get(id);
    if (run?.state !== 'queued' || (operation?.state !== 'cancelled' && operation?.state !== 'failed')) return;
    try {
      const entry = journal.get(id);
      if (entry === undefined) return;
      const live = createLiveRun({ journal, collection, now: clock.now, stored: entry, members: [] });
      const reason = operation.summary ?? operation.error?.detail ?? 'Ended before it began.';
      live.finish(operation.state, reason, { reason });
    } catch (error) {
      // The next start finds the ended operation and ends the run then.
      log.error({ run: id, reason: describeError(error) }, 'the end of a run that never began cannot be written');
    }
  }

  function takeUp(entry: StoredRun): void {
    const { id, host, name } = entry.run;
    const over = operations.collection.get(id);
    if (entry.run.state === 'queued' && (over?.state === 'cancelled' || over?.state === 'failed')) {
      endNeverBegun(id);
      return;
    }
    const members = journal.members(id);
    const shown = members.length === 0 || own(members) ? entry.run : { ...entry.run, recovered: true };
    const live = createLiveRun({ journal, collection, now: clock.now, stored: { ...entry, run: shown }, members });
    const fresh = members.length === 0;
    const turn = inTurn(entry.run, fresh ? namesOf(host, [{ name }]) : locksOf(host, members), (context, claim) =>
      fresh ? driveNew(drive, live, context, claim) : driveRecovery(drive, live, context),
    );
    const locks = namesOf(host, fresh ? [{ name }] : members).filter((lock) => !heldAgain.has(lock));
    for (const lock of locks) heldAgain.add(lock);
    const request = { ...requestFor(entry.run, locks, systemActor, fresh), work: turn.work };
    const known = operations.unfinished().some((operation) => operation.id === id);
    try {
      // Without its operation (it ended before its run did) the run is taken up under the same id anew.
      const operation = known
        ? operations.resume(id, request)
        : operations.start({ ...request, id: `${id}-recovery-${clock.now()}`, run: id });
      whenOver(operation.id, id, turn.leave);
    } catch (error) {
      turn.leave();
      throw error;
    }
  }

  function takeUpOrTell(entry: StoredRun): void {
    try {
      takeUp(entry);
    } catch (error) {
      const reason = `This run was interrupted and cannot be finished: ${describeError(error)}`;
      log.error({ run: entry.run.id, reason }, 'an interrupted run cannot be taken up');
      collection.put({ ...entry.run, reason });
    }
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
    if (drive.home !== undefined) removeHandover(drive.home.dataDir, run.id);
    try {
      await keepRecent({ hosts, journal, collection, log }, run, settings.current().keepImages);
    } catch (error) {
      log.warn({ run: run.id, reason: describeError(error) }, 'old runs and images could not be cleared');
    }
  }

  return { begin, takeUp: takeUpOrTell };
}

/** That the next instance takes up the update of our own container is how it goes. */
function own(members: readonly JournalMember[]): boolean {
  return members.some(({ self }) => self === true);
}

/** Resolves when the work is to end: whoever waits for its turn then finds out by itself. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
