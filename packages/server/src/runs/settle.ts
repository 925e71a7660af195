import type { OperationContext } from '../operations/index.ts';
import { describeError, Fault } from '../platform/fault.ts';
import { backDone, commitDone, type DriveParts, untilWritten } from './ends.ts';
import { type Course, executeSteps, outage } from './execute.ts';
import { failureOf, interrupted, isJournalFault } from './failures.ts';
import type { LiveRun } from './live-run.ts';
import { locate, lookAt } from './look.ts';
import { once, recover } from './recover.ts';
import type { Failure } from './run.ts';
import { isUnreachable, pauseUntilOnline, waitForEngine } from './wait-for-engine.ts';

const firstPauseMs = 500;
const longestPauseMs = 300_000;
/** A parked container that the engine cannot remove is left to the person then; the new one holds. */
const mostClearingTries = 6;
const keptLogLines = 50;

/**
 * Leads an unfinished run to its end, forward or back, however long that takes: nothing but a server that stops ends it before.
 * Returns or throws when it is finished.
 */
export async function settle(
  parts: DriveParts,
  live: LiveRun,
  course: Course,
  context: OperationContext,
): Promise<string> {
  const idle = new AbortController();
  const signal = context.signal.aborted && !context.stopping() ? idle.signal : context.signal;
  let pause = firstPauseMs;
  let clearingTries = 0;
  for (;;) {
    if (context.stopping()) throw context.signal.reason;
    let ended: Ended | undefined;
    let direction: string | undefined;
    try {
      ({ ended, direction } = await oneTurn(parts, live, course, context, signal));
      pause = firstPauseMs;
    } catch (error) {
      if (context.stopping()) throw error;
      direction = error instanceof TurnFailure ? error.direction : undefined;
      const cause = error instanceof TurnFailure ? error.cause : error;
      if (direction === 'commit') clearingTries += 1;
      if (clearingTries === mostClearingTries) ended = { lost: [], down: [], leftover: describeError(cause) };
      else if (isUnreachable(cause)) {
        outage(course);
        await waitPatiently(parts, live, signal, pause);
      } else {
        tellDelay(live, context, direction, describeError(cause), pause);
        await pauseUntilOnline(parts, live.run().host, pause, signal);
      }
      pause = Math.min(2 * pause, longestPauseMs);
    }
    if (ended === undefined) continue;
    return direction === 'back'
      ? backDone(parts, live, context, ended)
      : commitDone(parts, live, context, ended.leftover);
  }
}

/** How a run ended: members that are not brought back, those that ended again, and what could not be cleared away. */
interface Ended {
  readonly lost: readonly string[];
  readonly down: readonly string[];
  readonly leftover?: string;
}

/** What went wrong, with the way on which it did. */
class TurnFailure extends Error {
  readonly direction: string;

  constructor(direction: string, cause: unknown) {
    super('A step failed.', { cause });
    this.direction = direction;
  }
}

/** Looks, and does what is to be done; `ended` when there is nothing more. */
async function oneTurn(
  parts: DriveParts,
  live: LiveRun,
  course: Course,
  context: OperationContext,
  signal: AbortSignal,
): Promise<{ ended?: Ended; direction: string }> {
  const run = live.journal();
  const { host } = live.run();
  const seen = await lookAt(parts.hosts.engine(host), live.id, run.members);
  const disturbed = course.outages > 0;
  const { self } = parts.containers;
  const next = recover(run, seen, { tried: course.tried, disturbed, claimed: claimedBy(parts, live), self });
  const { direction } = next;
  if (direction === 'back' && run.failure === null) {
    await fail(parts, live, context, interrupted);
    return { direction };
  }
  try {
    if (next.steps.length > 0) {
      const first = live.replan(next.steps);
      const options = { first, goingBack: direction === 'back', signal };
      await executeSteps(parts, live, course, context, next.steps, options);
      if (direction === 'on') live.note('COMMIT', 'the new container holds');
    }
    if (next.blocked !== undefined) throw new Fault('conflict', next.blocked);
  } catch (error) {
    if (context.stopping() || isUnreachable(error) || direction !== 'on' || isJournalFault(error))
      throw new TurnFailure(direction, error);
    await fail(parts, live, context, failureOf(error));
  }
  if (next.steps.length > 0) return { direction };
  const down = run.members.filter(
    ({ name }, index) => course.tried.has(once.start(name)) && seen[index]?.old?.running === false,
  );
  return { direction, ended: { lost: next.lost, down: down.map(({ name }) => name) } };
}

/** `reference image` of what other runs brought in and hold on to: their tag is not taken back with ours. */
function claimedBy(parts: DriveParts, live: LiveRun): ReadonlySet<string> {
  const { host } = live.run();
  const others = [...parts.runs.values()].filter(
    ({ id, host: theirs, state }) =>
      id !== live.id && theirs === host && (state === 'committed' || state === 'running'),
  );
  return new Set(others.map(({ to }) => `${to.image} ${to.imageId}`));
}

/** The ping itself may be refused by what stands in front of the engine: that is no answer either. */
async function waitPatiently(parts: DriveParts, live: LiveRun, signal: AbortSignal, pause: number): Promise<void> {
  try {
    await waitForEngine(parts, live.run().host, signal);
  } catch (error) {
    signal.throwIfAborted();
    parts.log.warn({ run: live.id, reason: describeError(error) }, 'the engine does not answer as it should');
    await pauseUntilOnline(parts, live.run().host, pause, signal);
  }
}

/** Not finished and not given up: says so where people look. */
function tellDelay(
  live: LiveRun,
  context: OperationContext,
  direction: string | undefined,
  reason: string,
  pause: number,
): void {
  const what = direction === 'commit' ? 'Clearing up' : 'Going back';
  const text = `${what} is not finished: ${reason} It is tried again in ${Math.ceil(pause / 1000)} s.`;
  context.log('error', text);
  context.progress({ done: 0, total: null, text });
  const first = live.journal().failure?.reason;
  try {
    live.note(live.run().phase, text, { reason: first === undefined ? text : `${first} ${text}` });
  } catch {
    // The journal itself is what cannot be written; the operation's log has said it.
  }
}

/** Notes why it goes back, with the last words of the new container. */
export async function fail(
  parts: DriveParts,
  live: LiveRun,
  context: OperationContext,
  failure: Failure,
): Promise<void> {
  context.log(failure.cause === 'cancelled' ? 'warn' : 'error', failure.reason);
  const failedLog = failure.cause === 'image' ? await lastWords(parts, live) : null;
  await untilWritten(parts, context, () => {
    context.setCancellable(false);
    live.fail(failure, failedLog === null ? {} : { failedLog });
  });
}

async function lastWords(parts: DriveParts, live: LiveRun): Promise<string | null> {
  const run = live.journal();
  const engine = parts.hosts.engine(live.run().host);
  const lines: string[] = [];
  try {
    for (const member of run.members) {
      if (member.role === 'restart') continue;
      const container = await locate(engine, run.id, member, 'new');
      if (container === undefined || container.State.Status === 'created') continue;
      const options = { follow: false, tail: keptLogLines, tty: container.Config.Tty === true };
      for await (const { text } of engine.containers.logs(container.Id, options)) lines.push(text);
    }
  } catch (error) {
    parts.log.warn({ run: run.id, reason: describeError(error) }, 'the log of a failed container cannot be read');
  }
  return lines.length === 0 ? null : lines.slice(-keptLogLines).join('\n');
}
