import type { Finding } from '@evenkeel/contract';
import type { OperationContext } from '../operations/index.ts';
import { moment } from '../platform/clock.ts';
import { describeError, Fault } from '../platform/fault.ts';
import { commitDone, type DriveParts, sameImage, untilWritten } from './ends.ts';
import { type Course, executeSteps, outage } from './execute.ts';
import { failureOf, faultOf } from './failures.ts';
import { awaitVerdict, handedOver } from './handover.ts';
import { SameImage } from './image-actions.ts';
import type { LiveRun } from './live-run.ts';
import { observe, type Situation } from './observe.ts';
import { planSteps } from './plan.ts';
import { type Failure, finding, type JournalMember, reached, rollbackReference } from './run.ts';
import { fail, settle } from './settle.ts';
import { imageFacts } from './shown-plan.ts';
import { isUnreachable, pauseUntilOnline, waitForEngine } from './wait-for-engine.ts';

const longestListingMs = 2000;

/**
 * Does a run from its beginning: plans it anew from what is there now, executes the plan, and goes back when it fails. `claim` is told
 * all members before anything changes, and throws when one of them is not free.
 */
export async function driveNew(
  parts: DriveParts,
  live: LiveRun,
  context: OperationContext,
  claim: (members: readonly JournalMember[]) => void,
): Promise<string> {
  return withCourse(parts, live, async (course) => {
    let stopped: unknown;
    try {
      const situation = await observePatiently(parts, live, context);
      refuseIfNeeded(live, situation);
      claim(situation.members);
      await goForward(parts, live, course, context, situation);
      // Whether the new one still runs after the engine was away, only a look can tell.
      return course.outages > 0 ? await settle(parts, live, course, context) : await commitDone(parts, live, context);
    } catch (error) {
      if (error instanceof SameImage) return await sameImage(parts, live, context, error);
      if (live.run().state === 'refused' || (context.stopping() && !isCancelled(context))) throw error;
      // The new one holds: from here on there is no way back, only what is left to clear away.
      if (reached(live.journal(), 'COMMIT')) return await settle(parts, live, course, context);
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
    outage(course);
    const member = handedOver(live);
    const what = member === undefined ? 'an interruption' : 'the restart of Evenkeel';
    context.log('info', `Taken up after ${what} in ${live.run().phase}.`);
    if (member !== undefined)
      await awaitVerdict(parts, live, context, member, (failure) => fail(parts, live, context, failure));
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
      if (online === host) outage(course);
    }),
    hosts.onPicture((change) => {
      if (change.host === host && change.all && hosts.picture(host).stale) outage(course);
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
      // It answers, but is not listed yet: who depends on whom is known only then.
      if (parts.hosts.picture(wish.host).stale)
        await pauseUntilOnline(parts, wish.host, longestListingMs, context.signal);
    }
  }
}

function refuseIfNeeded(live: LiveRun, situation: Situation): void {
  const refusal = replacedMeanwhile(live, situation) ?? situation.refusals[0];
  if (refusal === undefined) return;
  const reason = refusal.remedy === null ? refusal.text : `${refusal.text} ${refusal.remedy}`;
  live.finish('refused', reason, { reason });
  throw new Fault('not_updatable', reason);
}

/** It was asked for another one than has the name by now. */
function replacedMeanwhile(live: LiveRun, { container }: Situation): Finding | undefined {
  const { from, name } = live.stored().wish;
  if (from === undefined || (from.image === container.Config.Image && from.imageId === container.Image))
    return undefined;
  return finding(
    'replaced-meanwhile',
    `${name} ran ${from.image} when this was asked for, and is another container by now: it runs ${container.Config.Image}, or another build of it.`,
    'Look at it again, and start the update anew if it still fits.',
  );
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

function isCancelled(context: OperationContext): boolean {
  return context.signal.aborted && !context.stopping();
}

function cancelled(context: OperationContext): Failure {
  return { cause: 'cancelled', code: 'conflict', reason: describeError(context.signal.reason), leaveStopped: [] };
}
