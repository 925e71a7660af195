import type { Run } from '@evenkeel/contract';
import type { OperationContext } from '../operations/index.ts';
import { moment } from '../platform/clock.ts';
import { describeError, Fault } from '../platform/fault.ts';
import type { Updates } from '../updates/index.ts';
import { type Course, type ExecutorParts, executeSteps } from './execute.ts';
import { failureOf, faultOf, interrupted, isJournalFault } from './failures.ts';
import { SameImage } from './image-actions.ts';
import type { LiveRun } from './live-run.ts';
import { locate, lookAt } from './look.ts';
import { type ObserveParts, observe, type Situation } from './observe.ts';
import { planSteps } from './plan.ts';
import { once, recover } from './recover.ts';
import { type Failure, reached, rollbackReference } from './run.ts';
import { imageFacts } from './shown-plan.ts';
import { isUnreachable, pauseUntilOnline, waitForEngine } from './wait-for-engine.ts';

export interface DriveParts extends ExecutorParts, ObserveParts {
  readonly updates: Updates;
}

const firstPauseMs = 500;
const longestPauseMs = 300_000;
const longestWritePauseMs = 2000;
const keptLogLines = 50;

/** Does a run from its beginning: plans it anew from what is there now, executes the plan, and goes back when it fails. */
export async function driveNew(parts: DriveParts, live: LiveRun, context: OperationContext): Promise<string> {
  return withCourse(parts, live, async (course) => {
    let stopped: unknown;
    try {
      const situation = await observePatiently(parts, live, context);
      refuseIfNeeded(live, situation);
      await goForward(parts, live, course, context, situation);
      return commitDone(parts, live, context);
    } catch (error) {
      if (error instanceof SameImage) return await sameImage(parts, live, context, error);
      if (live.run().state === 'refused' || (context.stopping() && !isCancelled(context))) throw error;
      stopped = error;
    }
    const failure = isCancelled(context) ? cancelled(context) : failureOf(stopped);
    if (live.journal().members.length > 0) {
      await fail(parts, live, context, failure);
      return settle(parts, live, course, context);
    }
    const { reason } = failure;
    const state = failure.cause === 'cancelled' ? 'cancelled' : 'failed';
    await untilWritten(parts, context, () => live.finish(state, reason, { reason }));
    throw failure.cause === 'cancelled' ? context.signal.reason : faultOf(failure);
  });
}

/** Finishes a run that an earlier process, or an engine that went away, left unfinished. */
export async function driveRecovery(parts: DriveParts, live: LiveRun, context: OperationContext): Promise<string> {
  return withCourse(parts, live, async (course) => {
    course.outages += 1;
    context.log('info', `Taken up after an interruption in ${live.run().phase}.`);
    return settle(parts, live, course, context);
  });
}

async function withCourse(
  parts: DriveParts,
  live: LiveRun,
  work: (course: Course) => Promise<string>,
): Promise<string> {
  const course: Course = { outages: 0, tried: new Set(), stoppedAt: undefined };
  const { hosts } = parts;
  const { host } = live.run();
  // The event stream ends with the engine: an outage that falls between two calls of ours shows only here.
  const stops = [
    hosts.onOnline((online) => {
      if (online === host) course.outages += 1;
    }),
    hosts.onPicture((change) => {
      if (change.host === host && change.all && hosts.picture(host).stale) course.outages += 1;
    }),
  ];
  try {
    return await work(course);
  } finally {
    for (const stop of stops) stop();
  }
}

async function observePatiently(parts: DriveParts, live: LiveRun, context: OperationContext): Promise<Situation> {
  const { wish } = live.stored();
  for (;;) {
    context.signal.throwIfAborted();
    try {
      return await observe(parts, wish, context.signal);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      context.progress({
        done: 0,
        total: null,
        text: `Waiting for the engine of ${wish.host}: ${describeError(error)}`,
      });
      await waitForEngine(parts, wish.host, context.signal);
    }
  }
}

function refuseIfNeeded(live: LiveRun, situation: Situation): void {
  const [refusal] = situation.refusals;
  if (refusal === undefined) return;
  const reason = refusal.remedy === null ? refusal.text : `${refusal.text} ${refusal.remedy}`;
  live.finish('refused', reason, { reason });
  throw new Fault('not_updatable', reason);
}

async function goForward(
  parts: DriveParts,
  live: LiveRun,
  course: Course,
  context: OperationContext,
  situation: Situation,
): Promise<void> {
  const { wish } = live.stored();
  const { strategy } = situation;
  const [main] = situation.members;
  if (main === undefined) throw new Error('A plan without its container.');
  const members =
    wish.target.pull === null
      ? [
          { ...main, progress: { ...main.progress, newImage: await presentImage(parts, live) } },
          ...situation.members.slice(1),
        ]
      : situation.members;
  const steps = planSteps({ run: live.id, strategy, target: wish.target, members });
  const warnings = [...situation.warnings, ...situation.losses];
  if (situation.strategyReason !== null)
    warnings.unshift({ code: 'strategy', text: situation.strategyReason, remedy: null });
  live.plan(
    members,
    {
      strategy,
      warnings,
      oldContainer: main.inspect.Id,
      from: imageFacts(main.inspect.Config.Image ?? '', main.oldImage),
      startedAt: moment(parts.clock.now()),
    },
    steps,
    rollbackReference(main.name, live.id),
  );
  await executeSteps(parts, live, course, context, steps, { first: 1, goingBack: false, signal: context.signal });
}

/** A rollback takes an image that is on the engine already. */
async function presentImage(parts: DriveParts, live: LiveRun) {
  const { host, target } = live.stored().wish;
  const [id = ''] = target.imageIds;
  const image = await parts.hosts.engine(host).images.inspect(id);
  if (image !== undefined) return image;
  throw new Fault(
    'conflict',
    `The image ${target.image} (${id}) is not on ${host} any more, so there is no way back to it.`,
  );
}

/** Leads an unfinished run to its end, forward or back, however long that takes. Returns or throws when it is finished. */
async function settle(parts: DriveParts, live: LiveRun, course: Course, context: OperationContext): Promise<string> {
  const { host } = live.run();
  const idle = new AbortController();
  const signal = isCancelled(context) ? idle.signal : context.signal;
  let pause = firstPauseMs;
  for (;;) {
    if (context.stopping()) throw context.signal.reason;
    let direction: string | undefined;
    let ended: { lost: readonly string[]; down: readonly string[] } | undefined;
    try {
      const run = live.journal();
      const seen = await lookAt(parts.hosts.engine(host), live.id, run.members);
      const next = recover(run, seen, course.tried);
      direction = next.direction;
      if (direction === 'back' && run.failure === null) {
        await fail(parts, live, context, interrupted);
        continue;
      }
      if (next.steps.length === 0 && next.blocked === undefined) {
        const down = run.members.filter(
          ({ name }, index) => course.tried.has(once.start(name)) && seen[index]?.old?.running === false,
        );
        ended = { lost: next.lost, down: down.map(({ name }) => name) };
      }
      if (next.steps.length > 0) {
        const first = live.replan(next.steps);
        await executeSteps(parts, live, course, context, next.steps, {
          first,
          goingBack: direction === 'back',
          signal,
        });
        if (direction === 'on') live.note('COMMIT', 'the new container holds');
      }
      if (next.blocked !== undefined) throw new Fault('conflict', next.blocked);
      pause = firstPauseMs;
    } catch (error) {
      if (context.stopping()) throw error;
      if (isUnreachable(error)) {
        course.outages += 1;
        await waitForEngine(parts, host, signal);
        continue;
      }
      if (direction === 'on' && !isJournalFault(error)) {
        await fail(parts, live, context, failureOf(error));
        continue;
      }
      tellDelay(live, context, direction, describeError(error), pause);
      await pauseUntilOnline(parts, host, pause, signal);
      pause = Math.min(2 * pause, longestPauseMs);
    }
    if (ended !== undefined)
      return direction === 'back' ? backDone(parts, live, context, ended) : commitDone(parts, live, context);
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
async function fail(parts: DriveParts, live: LiveRun, context: OperationContext, failure: Failure): Promise<void> {
  context.log(failure.cause === 'cancelled' ? 'warn' : 'error', failure.reason);
  const failedLog = failure.cause === 'image' ? await lastWords(parts, live) : null;
  await untilWritten(parts, context, () => {
    context.setCancellable(false);
    live.fail(failure, failedLog === null ? {} : { failedLog });
  });
}

/** Repeats a write until the journal takes it: nothing may be done, and no end be told, that is not on the disk. */
async function untilWritten(parts: DriveParts, context: OperationContext, write: () => void): Promise<void> {
  for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestWritePauseMs)) {
    if (context.stopping()) throw context.signal.reason;
    try {
      write();
      return;
    } catch (error) {
      if (!isJournalFault(error)) throw error;
      const text = `The journal cannot be written, so nothing more is done: ${describeError(error)}`;
      context.log('error', text);
      context.progress({ done: 0, total: null, text });
      await parts.clock.sleep(pause);
    }
  }
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

async function commitDone(parts: DriveParts, live: LiveRun, context: OperationContext): Promise<string> {
  const run = live.run();
  const { wish } = live.stored();
  const gap = run.gapMilliseconds === null ? '' : ` It was away for ${(run.gapMilliseconds / 1000).toFixed(1)} s.`;
  const text =
    run.kind === 'rollback'
      ? `${run.name} is back on ${wish.target.image}.${gap}`
      : `${run.name} now runs ${wish.target.image}.${gap}`;
  const newImage = live.journal().members[0]?.progress.newImage;
  const { undoes } = wish.target;
  if (undoes !== null) {
    const reason = `${run.actor} went back from it.`;
    parts.updates.quarantine({ host: wish.host, name: wish.name, ...undoes, reason });
  }
  const to = { ...run.to, imageId: newImage?.Id ?? run.to.imageId };
  await untilWritten(parts, context, () =>
    live.finish('committed', text, { reason: null, rollbackAvailable: true, to }),
  );
  return text;
}

async function sameImage(
  parts: DriveParts,
  live: LiveRun,
  context: OperationContext,
  { image }: SameImage,
): Promise<string> {
  const { target } = live.stored().wish;
  const { name } = live.run();
  if (target.repository !== null && target.digest !== null)
    parts.updates.rememberEqual({ repository: target.repository, digest: target.digest, imageId: image.Id });
  const text = `The image that was pulled is the one that ${name} runs already: nothing had to be replaced.`;
  const to = { ...live.run().to, imageId: image.Id };
  await untilWritten(parts, context, () => live.finish('committed', text, { reason: text, to }));
  return text;
}

async function backDone(
  parts: DriveParts,
  live: LiveRun,
  context: OperationContext,
  { lost, down }: { lost: readonly string[]; down: readonly string[] },
): Promise<string> {
  const { failure } = live.journal();
  if (failure === null) throw new Error('A run that goes back has a reason.');
  const { wish } = live.stored();
  const gone =
    lost.length === 0 ? '' : ` ${lost.join(', ')} was removed or replaced by somebody else and is left as it is.`;
  const ended = down.length === 0 ? '' : ` ${down.join(', ')} was started again, but ended by itself.`;
  const reason = `${failure.reason}${gone}${ended}`;
  const untouched = !reached(live.journal(), 'HOLDING');
  let state: Run['state'] = lost.length > 0 || untouched ? 'failed' : 'rolled-back';
  if (failure.cause === 'cancelled') state = 'cancelled';
  await untilWritten(parts, context, () => live.finish(state, reason, { reason }));
  if (failure.cause === 'image' && wish.kind === 'update' && wish.target.candidateId !== null) {
    const { candidateId, digest } = wish.target;
    parts.updates.quarantine({ host: wish.host, name: wish.name, candidateId, digest: digest ?? '', reason });
  }
  if (failure.cause === 'cancelled' && isCancelled(context)) throw context.signal.reason;
  throw faultOf({ ...failure, reason });
}

function isCancelled(context: OperationContext): boolean {
  return context.signal.aborted && !context.stopping();
}

function cancelled(context: OperationContext): Failure {
  return { cause: 'cancelled', code: 'conflict', reason: describeError(context.signal.reason), leaveStopped: [] };
}
