import { randomUUID } from 'node:crypto';
import { errorCodes, type Operation, type OperationLogLine } from '@evenkeel/contract';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import { type Clock, moment } from '../platform/clock.ts';
import { describeError, Fault } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import type { Store } from '../platform/store/store.ts';
import { OperationLanes } from './operation-lanes.ts';
import { createOperationRecord, type OperationRecord } from './operation-record.ts';
import type { OperationRequest, Operations } from './operations.ts';
import { createOperationsStore, isFinished } from './operations-store.ts';

const shown = 500;
const kept = 5000;
const retryEveryMilliseconds = 2000;
const pruneEveryMilliseconds = 3_600_000;

/** Operations with what their routes need besides. */
export interface OperationsWithLog extends Operations {
  /** Also one that is too old for the collection. */
  get(id: string): Operation | undefined;
  log(id: string): OperationLogLine[];
  /** Those that are kept but too old for the collection, by id; read from disk when first asked for. */
  beyond(): Iterable<readonly [string, Operation]>;
  /** Forgets the oldest. Done by itself at the start and every hour. */
  prune(): void;
}

interface Active {
  readonly record: OperationRecord;
  readonly request: Omit<OperationRequest, 'id'>;
  readonly controller: AbortController;
  readonly done: Promise<void>;
  readonly settle: () => void;
  leaveQueue: () => void;
  begun: boolean;
  cancelled: boolean;
}

export function createOperations(parts: { store: Store; clock: Clock; log: Log }): OperationsWithLog {
  const { clock, log } = parts;
  const store = createOperationsStore(parts.store);
  const collection = new LiveCollection<Operation>({ topic: 'operations', keyOf: ({ id }) => id });
  const lanes = new OperationLanes();
  const locks = new Map<string, string>();
  const active = new Map<string, Active>();
  /** Titles of what holds locks and is no operation. */
  const held = new Map<string, string>();
  const left = new Map(store.unfinished().map((operation) => [operation.id, operation]));
  /** Ends that the database did not take (a full disk): written as soon as it does. */
  const unwritten = new Map<string, Operation>();
  let stopping = false;
  let retry: NodeJS.Timeout | undefined;
  let older: Map<string, Operation> | undefined;

  collection.publish([...store.newest(shown), ...left.values()], []);
  prune();
  const pruning = setInterval(prune, pruneEveryMilliseconds).unref();

  function prune(): void {
    if (parts.store.readOnly) return;
    try {
      if (store.prune(kept) > 0) older = undefined;
    } catch (error) {
      if (!parts.store.writing.report(error)) throw error;
    }
  }

  function start(request: OperationRequest): Operation {
    refuseWhenStopped();
    takeable(request.locks);
    if (request.lane !== undefined && lanes.isFull(request.lane))
      throw new Fault(
        'too_many_requests',
        'Too many of these are waiting already. Try again when some have finished.',
        {
          retryAfterSeconds: 30,
        },
      );
    const operation: Operation = {
      id: request.id ?? randomUUID(),
      kind: request.kind,
      title: request.title,
      host: request.host,
      targets: [...request.targets],
      state: 'queued',
      progress: { done: 0, total: null, text: '' },
      cancellable: request.cancellable,
      actor: request.actor.name,
      run: request.run ?? null,
      error: null,
      summary: null,
      createdAt: moment(clock.now()),
      startedAt: null,
      finishedAt: null,
    };
    store.insert(operation);
    return enter(operation, request, 0);
  }

  function resume(id: string, request: Omit<OperationRequest, 'id'>): Operation {
    refuseWhenStopped();
    const operation = left.get(id);
    if (operation === undefined) throw new Fault('conflict', `Operation ${id} is not one that was left unfinished.`);
    takeable(request.locks);
    const next = { ...operation, state: 'queued' as const, cancellable: request.cancellable };
    store.update(next);
    left.delete(id);
    return enter(next, request, store.log(id).length);
  }

  async function hold<T>(wanted: readonly string[], title: string, work: () => Promise<T>): Promise<T> {
    takeable(wanted);
    const id = randomUUID();
    held.set(id, title);
    for (const lock of wanted) locks.set(lock, id);
    try {
      return await work();
    } finally {
      held.delete(id);
      for (const lock of wanted) locks.delete(lock);
    }
  }

  function refuseWhenStopped(): void {
    parts.store.requireWritable('Nothing can be started');
    if (stopping) throw new Fault('conflict', 'The server is stopping. Try again when it is back.');
  }

  function takeable(wanted: readonly string[]): void {
    for (const lock of wanted) {
      const holder = locks.get(lock);
      if (holder === undefined) continue;
      const brief = held.get(holder);
      if (brief !== undefined)
        throw new Fault('busy', `"${brief}" is at work on ${lock}. Try again when it has finished.`);
      const title = active.get(holder)?.record.current.title ?? holder;
      throw new Fault('busy', `"${title}" is at work on ${lock}. Wait until it has finished, or cancel it.`);
    }
  }

  function enter(operation: Operation, request: Omit<OperationRequest, 'id'>, linesBefore: number): Operation {
    const { promise: done, resolve: settle } = Promise.withResolvers<void>();
    const record = createOperationRecord({ first: operation, collection, store, clock, log, linesBefore });
    const one: Active = {
      record,
      request,
      controller: new AbortController(),
      done,
      settle,
      leaveQueue: () => {},
      begun: false,
      cancelled: false,
    };
    for (const lock of request.locks) locks.set(lock, operation.id);
    active.set(operation.id, one);
    show(operation);
    one.leaveQueue = lanes.enter({
      lane: request.lane,
      begin: () => {
        one.begun = true;
        void run(one);
      },
    });
    return operation;
  }

  /** Keeps the collection at the newest; what is at work always stays in it. */
  function show(operation: Operation): void {
    const surplus = collection.size + 1 - shown;
    const old = surplus > 0 ? [...collection.values()].filter(isFinished).slice(0, surplus) : [];
    collection.publish(
      [operation],
      old.map(({ id }) => id),
    );
    for (const one of old) older?.set(one.id, one);
  }

  async function run(one: Active): Promise<void> {
    const { record, request, controller } = one;
    // Whoever started it has its answer before the work begins.
    await Promise.resolve();
    try {
      record.change({ state: 'running', startedAt: record.current.startedAt ?? moment(clock.now()) });
      const summary = await request.work({
        id: record.current.id,
        signal: controller.signal,
        stopping: () => stopping,
        progress: (progress) => record.progress(progress),
        log: (level, text) => record.log(level, text),
        setCancellable: (cancellable) => {
          if (cancellable !== record.current.cancellable) record.change({ cancellable });
        },
      });
      end(one, { state: 'succeeded', summary, error: null });
    } catch (error) {
      if (stopping && controller.signal.aborted && !one.cancelled) {
        // The record stays unfinished on disk: the next start resumes or abandons it.
        record.log('warn', 'Interrupted: the server is stopping.');
        leave(one);
      } else if (one.cancelled && controller.signal.aborted) {
        end(one, { state: 'cancelled', summary: describeError(controller.signal.reason) });
      } else {
        end(one, { state: 'failed', error: errorOf(error, record.current.id) });
      }
    }
    lanes.leave(request.lane);
  }

  function errorOf(error: unknown, id: string): { code: string; detail: string } {
    if (error instanceof Fault) return { code: error.code, detail: error.message };
    log.error({ operation: id, err: error }, 'an operation failed by an error of ours');
    return { code: 'internal', detail: `${errorCodes.internal.title}: the log of the server says more (${id}).` };
  }

  function end(one: Active, part: Partial<Operation>): void {
    const finished = { ...part, cancellable: false, finishedAt: moment(clock.now()) };
    if (!one.record.end(finished)) writeLater(one.record.current);
    leave(one);
  }

  function writeLater(operation: Operation): void {
    unwritten.set(operation.id, operation);
    retry ??= setInterval(writeLate, retryEveryMilliseconds).unref();
  }

  function writeLate(): void {
    try {
      for (const [id, operation] of unwritten) {
        store.update(operation);
        unwritten.delete(id);
      }
      clearInterval(retry);
      retry = undefined;
    } catch (error) {
      log.debug({ reason: describeError(error) }, 'the end of an operation still cannot be written');
    }
  }

  function leave(one: Active): void {
    const { id } = one.record.current;
    for (const lock of one.request.locks) if (locks.get(lock) === id) locks.delete(lock);
    active.delete(id);
    one.settle();
  }

  /** The end of what an earlier process left: a full disk must not keep the server from starting. */
  function writeEnd(operation: Operation): void {
    if (parts.store.readOnly) return;
    try {
      store.update(operation);
    } catch (error) {
      if (!parts.store.writing.report(error)) throw error;
      writeLater(operation);
    }
  }

  function get(id: string): Operation | undefined {
    return active.get(id)?.record.current ?? collection.get(id) ?? unwritten.get(id) ?? store.get(id);
  }

  return {
    collection,
    start,
    hold,
    resume,
    get,
    prune,
    beyond() {
      if (older === undefined) {
        const read = store.older(shown).filter(({ id }) => collection.get(id) === undefined);
        older = new Map(read.map((operation) => [operation.id, operation]));
      }
      return older;
    },
    unfinished: () => [...left.values()],
    abandonRest() {
      for (const operation of left.values()) {
        const abandoned: Operation = {
          ...operation,
          state: 'failed',
          cancellable: false,
          error: {
            code: 'interrupted',
            detail: 'The server stopped while this was at work, and it cannot be taken up again. Start it anew.',
          },
          finishedAt: moment(clock.now()),
        };
        collection.put(abandoned);
        writeEnd(abandoned);
      }
      left.clear();
    },
    cancel(id, actor) {
      const one = active.get(id);
      if (one === undefined) {
        if (get(id) === undefined) throw new Fault('not_found', `There is no operation ${id}.`);
        throw new Fault('conflict', 'This operation has finished already.');
      }
      if (one.cancelled) return one.record.current;
      if (!one.record.current.cancellable)
        throw new Fault(
          'conflict',
          'This operation cannot be cancelled any more: stopping here would leave it half done.',
        );
      one.cancelled = true;
      one.record.log('warn', `Cancelled by ${actor.name}.`);
      one.controller.abort(new Fault('conflict', `Cancelled by ${actor.name}.`));
      if (!one.begun) {
        one.leaveQueue();
        end(one, { state: 'cancelled', summary: `Cancelled by ${actor.name} before it began.` });
      }
      return one.record.current;
    },
    async finished(id) {
      await active.get(id)?.done;
      const operation = get(id);
      if (operation === undefined) throw new Fault('not_found', `There is no operation ${id}.`);
      return operation;
    },
    log: (id) => [...store.log(id), ...(active.get(id)?.record.pendingLog() ?? [])],
    async close() {
      stopping = true;
      const running = [...active.values()];
      for (const one of running) {
        if (!one.begun) {
          one.leaveQueue();
          leave(one);
        } else one.controller.abort(new Fault('conflict', 'The server is stopping.'));
      }
      await Promise.all(running.map(({ done }) => done));
      if (unwritten.size > 0) writeLate();
      clearInterval(retry);
      clearInterval(pruning);
    },
  };
}
