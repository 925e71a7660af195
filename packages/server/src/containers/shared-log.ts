import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogLine } from '@evenkeel/contract';
import type { Clock } from '../platform/clock.ts';
import { type Engine, EngineError } from '../platform/engine/engine.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { describeError, Fault } from '../platform/fault.ts';
import { createOverlap } from './log-overlap.ts';
import { LogRing, type LogRingLimits } from './log-ring.ts';
import { toLogLine } from './read-logs.ts';

/** How far back a reader wants to begin; everything without a tail. */
export interface LogStart {
  readonly tail: number | undefined;
  /** RFC 3339: only lines from then on. */
  readonly since: string | undefined;
}

/** Is told everything in the order in which it happened. */
export interface LogReader {
  readonly onLines: (lines: readonly LogLine[], skipped: number) => void;
  /** `following`: lines come. `ended`: it does not run now. */
  readonly onState: (state: 'following' | 'ended') => void;
  /** The last that is told: the container is gone, or its output cannot be read, with a sentence. */
  readonly onOver: (why: 'gone' | 'failed', reason: string) => void;
}

export interface SharedLogParts {
  readonly engine: Engine;
  readonly container: ContainerInspect;
  readonly clock: Clock;
  readonly ring: LogRingLimits;
  /** The same container once there may be more to read of it; undefined when it is gone, or the signal came first. */
  readonly nextStart: (ended: ContainerInspect, signal: AbortSignal) => Promise<ContainerInspect | undefined>;
  /** There is nobody left, or nothing more will come. */
  readonly onClosed: () => void;
}

/** The output of one container, read from the engine once however many follow it, over its restarts. */
export interface SharedLog {
  /** The first one decides where the reading begins. Returns the way to leave. */
  join(start: LogStart, reader: LogReader): () => void;
}

/** Lines are handed on together, at most this often and this many. */
const batchMilliseconds = 40;
const largestBatch = 2000;
/** So long without a line after the old ones: the stream has reached the present. At first the engine is given more time. */
const stillMilliseconds = 200;
const firstStillMilliseconds = 1000;
/** What a reader who comes later reads by itself at most, and what is kept for it meanwhile. */
const longestCatchUp = 10_000;

interface Joined {
  readonly reader: LogReader;
  left: boolean;
  /** Lines that came before what the reader asked for was read; undefined once it is complete. */
  waiting: LogLine[] | undefined;
  skipped: number;
  isNew: ((line: LogLine) => boolean) | undefined;
}

export function createSharedLog(parts: SharedLogParts): SharedLog {
  const { engine, container, clock } = parts;
  const closing = new AbortController();
  const joined = new Set<Joined>();
  const ring = new LogRing(parts.ring);
  const reached = Promise.withResolvers<void>();
  let fromTheBeginning = false;
  let begun = false;
  let running = true;

  function join(start: LogStart, reader: LogReader): () => void {
    const one: Joined = { reader, left: false, waiting: begun ? [] : undefined, skipped: 0, isNew: undefined };
    joined.add(one);
    if (begun) catchUp(one, start).catch((error: unknown) => drop(one, 'failed', describeError(error)));
    else {
      begun = true;
      fromTheBeginning = start.tail === undefined && start.since === undefined;
      follow(start).catch((error: unknown) => finish('failed', describeError(error)));
    }
    return () => {
      one.left = true;
      joined.delete(one);
      if (joined.size === 0) close();
    };
  }

  function close(): void {
    if (closing.signal.aborted) return;
    closing.abort();
    reached.resolve();
    parts.onClosed();
  }

  function drop(one: Joined, why: 'gone' | 'failed', reason: string): void {
    if (one.left) return;
    one.left = true;
    joined.delete(one);
    one.reader.onOver(why, reason);
    if (joined.size === 0) close();
  }

  function finish(why: 'gone' | 'failed', reason: string): void {
    if (closing.signal.aborted) return;
    const all = [...joined];
    // Closed first: whoever comes from now on begins anew.
    close();
    for (const one of all) drop(one, why, reason);
  }

  /** Reads until nobody is left, over restarts of the container. */
  async function follow(start: LogStart): Promise<void> {
    let from = start;
    for (let inspect: ContainerInspect | undefined = container; inspect !== undefined; ) {
      running = true;
      tellState('following');
      const last = await untilEnd(from, inspect.Config.Tty ?? false);
      if (closing.signal.aborted) return;
      if (last !== undefined) from = { tail: undefined, since: last };
      running = false;
      reached.resolve();
      tellState('ended');
      inspect = await parts.nextStart(inspect, closing.signal);
      if (closing.signal.aborted) return;
    }
    finish('gone', 'The container has been removed.');
  }

  function tellState(state: 'following' | 'ended'): void {
    for (const { reader, waiting } of joined) if (waiting === undefined) reader.onState(state);
  }

  /** Hands on lines until the stream ends; the time of the last one. */
  async function untilEnd({ tail, since }: LogStart, tty: boolean): Promise<string | undefined> {
    const openedAt = clock.now();
    let batch: LogLine[] = [];
    let count = 0;
    let last: string | undefined;
    let timer: NodeJS.Timeout | undefined;
    let still = setTimeout(reached.resolve, tail === 0 ? 0 : firstStillMilliseconds);
    const flush = () => {
      clearTimeout(timer);
      clearTimeout(still);
      timer = undefined;
      still = setTimeout(reached.resolve, stillMilliseconds);
      if (batch.length === 0) return;
      const lines = batch;
      batch = [];
      handOn(lines);
      const newest = Date.parse(lines.at(-1)?.at ?? '');
      if ((tail !== undefined && count >= tail) || newest >= openedAt) reached.resolve();
    };
    try {
      const chunks = engine.containers.logs(container.Id, {
        follow: true,
        ...(tail === undefined ? {} : { tail }),
        ...(since === undefined ? {} : { since }),
        tty,
        signal: closing.signal,
      });
      for await (const chunk of chunks) {
        // `since` is inclusive: the line that was handed on last comes again.
        if (tail === undefined && chunk.at === since) continue;
        batch.push(toLogLine(chunk));
        count += 1;
        last = chunk.at;
        if (batch.length >= largestBatch) flush();
        else timer ??= setTimeout(flush, batchMilliseconds);
      }
    } catch (error) {
      // Removed since it was last seen, or its host is away: it, or its replacement, may come.
      if (!isGone(error) && !isAway(error)) throw error;
      await clock.sleep(500, closing.signal).catch(() => undefined);
    } finally {
      flush();
      clearTimeout(still);
    }
    return last;
  }

  function handOn(lines: readonly LogLine[]): void {
    ring.push(lines);
    for (const one of joined) {
      if (one.waiting === undefined) tell(one, lines);
      else {
        one.waiting.push(...lines);
        const surplus = Math.max(0, one.waiting.length - longestCatchUp);
        one.waiting.splice(0, surplus);
        one.skipped += surplus;
      }
    }
  }

  function tell(one: Joined, lines: readonly LogLine[]): void {
    const { isNew, reader } = one;
    const wanted = isNew === undefined ? lines : lines.filter((line) => isNew(line));
    if (wanted.length > 0 && !one.left) reader.onLines(wanted, 0);
  }

  /** Gives one who came later what it asked for, from memory where that reaches far enough. */
  async function catchUp(one: Joined, start: LogStart): Promise<void> {
    one.reader.onState('following');
    const all = start.tail === undefined && start.since === undefined;
    if (!all || !fromTheBeginning) await reached.promise;
    if (one.left) return;
    const inMemory = all
      ? fromTheBeginning && ring.whole
      : start.since === undefined && ring.length >= (start.tail ?? 0);
    if (inMemory) one.waiting = ring.last(start.tail);
    else {
      one.waiting = [];
      one.skipped = 0;
      const [before] = ring.last(1);
      const read = await readBack(start);
      const isNew = createOverlap(read, before);
      await handOver(one, read);
      one.isNew = isNew;
    }
    await handOver(one, one.waiting);
    const rest = one.waiting;
    one.waiting = undefined;
    tell(one, rest);
    if (!running && !one.left) one.reader.onState('ended');
  }

  /** Bit by bit, so that the connection of the reader can take them. Lines may be added meanwhile. */
  async function handOver(one: Joined, lines: LogLine[]): Promise<void> {
    while (lines.length > 0 && !one.left) {
      if (lines === one.waiting && one.skipped > 0) {
        one.reader.onLines([], one.skipped);
        one.skipped = 0;
      }
      tell(one, lines.splice(0, largestBatch));
      await nextTurn();
    }
  }

  /** What the engine has of it now. */
  async function readBack({ tail, since }: LogStart): Promise<LogLine[]> {
    const read: LogLine[] = [];
    try {
      const chunks = engine.containers.logs(container.Id, {
        follow: false,
        tail: Math.min(tail ?? longestCatchUp, longestCatchUp),
        ...(since === undefined ? {} : { since }),
        tty: container.Config.Tty ?? false,
        signal: closing.signal,
      });
      for await (const chunk of chunks) read.push(toLogLine(chunk));
      return read;
    } catch (error) {
      if (!isGone(error) && !isAway(error)) throw error;
      return ring.last(tail);
    }
  }

  return { join };
}

function isGone(error: unknown): boolean {
  return error instanceof EngineError && (error.status === 404 || error.status === 409);
}

function isAway(error: unknown): boolean {
  return error instanceof Fault && error.code === 'engine_unreachable';
}
