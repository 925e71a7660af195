import type { Run, RunPhase } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { Hosts } from '../hosts/index.ts';
import type { OperationContext } from '../operations/index.ts';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Clock } from '../platform/clock.ts';
import { describeError } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import type { Registries } from '../registries/index.ts';
import * as act from './container-actions.ts';
import { observeEnvironment } from './environment.ts';
import { dismiss, handOver } from './handover.ts';
import { pullImage, SameImage, tagImage } from './image-actions.ts';
import type { LiveRun } from './live-run.ts';
import { memberSpec } from './member-spec.ts';
import type { NameQueue } from './name-queue.ts';
import { keepOldLog } from './old-log.ts';
import { once } from './recover.ts';
import { Drift, GateFailure, reached, type Step } from './run.ts';
import type { Home } from './spec-handover.ts';
import { namedNetworks } from './spec-networks.ts';
import type { ReplacementSpec } from './spec-types.ts';
import { engineShutsDown, StoppedFromOutside } from './stopped-from-outside.ts';
import { isUnreachable, waitForEngine } from './wait-for-engine.ts';

export interface ExecutorParts {
  readonly containers: Containers;
  readonly hosts: Hosts;
  readonly registries: Registries;
  readonly clock: Clock;
  readonly log: Log;
  /** Runs that work with the same reference take turns. */
  readonly references: NameQueue;
  /** All runs, this one too. */
  readonly runs: LiveCollection<Run>;
  /** Where our own data is; without it our own container is not updated. */
  readonly home?: Home;
}

/** What the executor keeps between the steps of one run. */
export interface Course {
  /** How often the engine was away since the run began. */
  outages: number;
  /** What was tried on the way back or while clearing up, for `recover`. */
  readonly tried: Set<string>;
  /** When the old container ended, for the gap. */
  stoppedAt: number | undefined;
}

/** The engine was away: what was started before may have ended by that, and is started again. */
export function outage(course: Course): void {
  course.outages += 1;
  for (const tried of course.tried) if (tried.startsWith(once.start(''))) course.tried.delete(tried);
}

/**
 * Does steps, whatever they belong to: the way forward, the way back, or recovery. Each is announced in the journal before its
 * engine call and reported after it. A call whose answer is lost is repeated once the engine answers: every action looks first.
 *
 * Throws what stopped it: a Fault, an EngineError, `Drift`, `GateFailure`, `SameImage`, or the reason of the signal.
 */
export async function executeSteps(
  parts: ExecutorParts,
  live: LiveRun,
  course: Course,
  context: OperationContext,
  steps: readonly Step[],
  options: { first: number; goingBack: boolean; signal: AbortSignal },
): Promise<void> {
  const { signal, goingBack } = options;
  for (const [index, step] of steps.entries()) {
    const number = options.first + index;
    if (context.stopping() || !goingBack) signal.throwIfAborted();
    if (context.stopping()) throw context.signal.reason;
    if (!goingBack && takesAway.has(step.phase)) context.setCancellable(false);
    context.progress({ done: index, total: steps.length, text: step.text });
    await untilAnswered(parts, live, course, context, step, number, options);
  }
}

/** Phases in which stopping half-way would leave the place of the old container empty or taken twice. */
const takesAway: ReadonlySet<RunPhase> = new Set(['QUIESCING', 'STOPPING', 'SWAPPING', 'COMMIT']);

/** Does one step, again and again while the engine does not answer. */
async function untilAnswered(
  parts: ExecutorParts,
  live: LiveRun,
  course: Course,
  context: OperationContext,
  step: Step,
  number: number,
  options: { goingBack: boolean; signal: AbortSignal },
): Promise<void> {
  const { host } = live.run();
  for (let repeated = false; ; repeated = true) {
    try {
      const spec = await specFor(parts, live, step);
      const progress = spec === undefined ? undefined : { name: step.member, progress: { spec } };
      live.begin(number, step.phase, progress);
      context.log('info', step.text);
      await perform(parts, live, course, context, step, number, { ...options, repeated });
      return;
    } catch (error) {
      if (!isUnreachable(error)) {
        // Stopping is no failure of the step, and a journal that cannot be written cannot take the failure either.
        if (!options.signal.aborted && !(error instanceof SameImage)) reportFailure(live, number, error);
        throw error;
      }
      outage(course);
      const text = `The engine of ${host} does not answer. Waiting for it: ${describeError(error)}`;
      context.log('warn', text);
      context.progress({ done: 0, total: null, text });
      await waitForEngine(parts, host, options.signal);
    }
  }
}

function reportFailure(live: LiveRun, number: number, error: unknown): void {
  const running = live.run().steps.some((step) => step.number === number && step.state === 'running');
  if (running) live.failedStep(number, describeError(error));
}

/** The spec of what a create step creates, journaled before the call. */
async function specFor(parts: ExecutorParts, live: LiveRun, step: Step): Promise<ReplacementSpec | undefined> {
  if (step.action.do !== 'create' || step.action.which === 'holder') return undefined;
  const engine = parts.hosts.engine(live.run().host);
  const environment = await observeEnvironment(engine);
  return memberSpec(engine, live.journal(), live.member(step.member).member, step.action.which, environment);
}

async function perform(
  parts: ExecutorParts,
  live: LiveRun,
  course: Course,
  context: OperationContext,
  step: Step,
  number: number,
  options: { goingBack: boolean; signal: AbortSignal; repeated: boolean },
): Promise<void> {
  const { action, member: name } = step;
  const { hosts, clock } = parts;
  const { host } = live.run();
  const engine = hosts.engine(host);
  const { member } = live.member(name);
  const { goingBack, signal, repeated } = options;
  const site: act.Site = {
    engine,
    hosts,
    clock,
    host,
    run: live.id,
    member,
    left: live.run().strategy === 'start-first' ? namedNetworks(member.inspect) : [],
    goingBack,
    repeated,
    disturbed: course.outages > 0 || hosts.picture(host).stale,
    signal,
    self: parts.containers.self,
    references: parts.references,
  };
  await keepOldLog(site, live, parts.log, step);
  switch (action.do) {
    case 'pull': {
      const onProgress = (text: string) => context.progress({ done: 0, total: null, text: `${step.text}: ${text}` });
      const { registries } = parts;
      const pull = { engine, registries, member, target: live.stored().wish.target, signal, onProgress };
      const image = await pullImage(pull, action);
      live.done(number, { name, progress: { newImage: image } });
      return;
    }
    case 'tag': {
      const imageId = action.imageId === 'pulled' ? member.progress.newImage?.Id : action.imageId;
      if (imageId === undefined) throw new Error('The pulled image is not known.');
      if (goingBack) course.tried.add(once.tag(action.reference));
      const turn = parts.references.enter([`${host} ${action.reference}`]);
      try {
        await turn.ready;
        await tagImage(engine, imageId, action.reference);
      } finally {
        turn.leave();
      }
      live.done(number);
      return;
    }
    case 'create': {
      const id = await act.createContainer(site, action.which, member.progress.spec);
      const key = ({ old: 'restoredId', new: 'newId', holder: 'holderId' } as const)[action.which];
      const shown = action.which === 'new' && member.role === 'update' ? { newContainer: id } : {};
      live.done(number, { name, progress: { [key]: id } }, shown);
      return;
    }
    case 'connect':
      await act.connectNetwork(site, action.which, action.network);
      break;
    case 'disconnect':
      await act.disconnectNetwork(site, action.network);
      break;
    case 'copy':
      await act.copyFiles(site, action.paths);
      break;
    case 'verify':
      await act.verify(site, action.which);
      break;
    case 'policy':
      await act.setPolicy(site, action.policy, action.quiesce);
      break;
    case 'stop': {
      const at = await act.stopContainer(site, action.which);
      if (action.which === 'old' && member.role === 'update') course.stoppedAt = at;
      break;
    }
    case 'rename':
      await act.renameContainer(site, action.which, action.to);
      break;
    case 'start':
      await act.startContainer(site, action.which);
      if (goingBack || step.phase === 'COMMIT') course.tried.add(once.start(name));
      live.done(number, undefined, await gapAfterStart(site, course, live, action.which));
      return;
    case 'gate':
      await passThroughOutages(parts, site, course, action.which);
      break;
    case 'remove':
      await act.removeContainer(site, action.which, action.volumes);
      break;
    case 'handover':
      return handOver(parts, site, live, context);
    case 'dismiss':
      await dismiss(site);
      break;
  }
  live.done(number);
}

/** An end caused by a restart of the engine is not the container's fault: it is started again, and the gate begins anew. */
async function passThroughOutages(
  { hosts, clock }: ExecutorParts,
  site: act.Site,
  course: Course,
  which: 'old' | 'new',
): Promise<void> {
  for (let repeats = 0; ; repeats += 1) {
    const before = course.outages;
    if (before > 0) await act.startContainer(site, which);
    try {
      return await act.awaitGate(site, which);
    } catch (error) {
      const away = course.outages > before || hosts.picture(site.host).stale;
      if (error instanceof StoppedFromOutside) {
        const { newId } = site.member.progress;
        const id = which === 'new' && newId !== null ? newId : site.member.inspect.Id;
        if (!away && !(await engineShutsDown({ hosts, clock }, site.host, id, site.signal)))
          throw new Drift(error.message);
        await waitForEngine({ hosts, clock }, site.host, site.signal);
      } else if (!(error instanceof GateFailure) || !away) throw error;
      if (repeats === mostRepeats) throw error;
      if (course.outages === before) outage(course);
    }
  }
}

const mostRepeats = 3;

/** After its start a new one is compared once more, and the gap is known. */
async function gapAfterStart(
  site: act.Site,
  course: Course,
  live: LiveRun,
  which: 'old' | 'new',
): Promise<{ gapMilliseconds?: number }> {
  if (site.member.role === 'restart') return {};
  const container = await site.engine.containers.inspect(
    which === 'new' ? (site.member.progress.newId ?? '') : site.member.inspect.Id,
  );
  if (container === undefined) return {};
  if (which === 'new' && container.State.Running) act.compare(site.member, container);
  if (site.member.role !== 'update') return {};
  if (live.run().strategy === 'start-first') return { gapMilliseconds: 0 };
  const startedAt = Date.parse(container.State.StartedAt);
  if (course.stoppedAt === undefined || !reached(live.journal(), 'STOPPING') || !(startedAt > 0)) return {};
  return { gapMilliseconds: Math.max(0, startedAt - course.stoppedAt) };
}
