import type { RunPhase, RunStep } from '@evenkeel/contract';
import type { OperationContext } from '../operations/index.ts';
import { describeError, Fault } from '../platform/fault.ts';
import type { Site } from './container-actions.ts';
import { copyFile } from './copy-files.ts';
import { checkUntouched } from './drift.ts';
import { type DriveParts, untilWritten } from './ends.ts';
import { observeEnvironment } from './environment.ts';
import type { ExecutorParts } from './execute.ts';
import { decide, readVerdict, writeFacts } from './handover-files.ts';
import type { LiveRun } from './live-run.ts';
import { inspectNamed } from './look.ts';
import { Drift, type Failure, isRunning, type JournalMember, reached, workNames } from './run.ts';
import { buildRestoration } from './spec.ts';
import { helperSpec } from './spec-handover.ts';
import { isUnreachable } from './wait-for-engine.ts';

const lookAgainMs = 500;
/** The helper stops us within seconds; one that does not in this time never will. */
const patienceMs = 120_000;
/** Between the helper's last look at the verdict and its call that stops us. */
const graceMs = 5000;

/**
 * Creates and starts the helper, and waits until it stops us. Returns only by throwing: the reason of the signal when we are stopped,
 * otherwise why nobody took over; the run goes back then.
 */
export async function handOver(
  parts: ExecutorParts,
  site: Site,
  live: LiveRun,
  context: OperationContext,
): Promise<never> {
  const dataDir = dataDirOf(parts);
  try {
    await othersDone(parts, site, live, context);
    await startHelper(site, dataDir);
  } catch (error) {
    if (!site.signal.aborted && !isUnreachable(error)) decide(dataDir, site.run, failed(describeError(error)));
    throw error;
  }
  const { reason } = await turnOfOld(parts, site, dataDir);
  throw new Fault('conflict', reason);
}

function dataDirOf({ home }: ExecutorParts): string {
  if (home === undefined) throw new Error('Where our data is was not said.');
  return home.dataDir;
}

/** What is at work would be interrupted by our end, and go back for no reason of its own. */
async function othersDone(parts: ExecutorParts, site: Site, live: LiveRun, context: OperationContext): Promise<void> {
  for (;;) {
    const other = [...parts.runs.values()].find(
      ({ id, state }) => id !== live.id && (state === 'running' || state === 'rolling-back'),
    );
    if (other === undefined) return;
    const text = `Waiting for the end of the run on ${other.name}, which the restart of Evenkeel would interrupt.`;
    context.progress({ done: 0, total: null, text });
    await parts.clock.sleep(lookAgainMs, site.signal);
  }
}

async function startHelper(site: Site, dataDir: string): Promise<void> {
  const { engine, member, run, host } = site;
  const old = await engine.containers.inspect(member.inspect.Id);
  if (old === undefined) throw new Drift(`${member.name} is gone: somebody else removed it.`);
  checkUntouched(member, old, site);
  const { newId } = member.progress;
  if (newId === null) throw new Error(`The id of the new ${member.name} is not known.`);
  const { name, policy, gate } = member;
  writeFacts(dataDir, run, { host, name, old: old.Id, new: newId, policy, gate });
  const id = await createHelper(site);
  for (const path of member.injected) await copyFile(engine, old.Id, id, path);
  await engine.containers.start(id);
}

async function createHelper({ engine, member, run }: Site): Promise<string> {
  const name = workNames(member.name, run).hand;
  const present = await inspectNamed(engine, name);
  if (present !== undefined) return present.Id;
  const { inspect, oldImage } = member;
  const environment = await observeEnvironment(engine);
  const spec = helperSpec(buildRestoration(inspect, oldImage, { ...environment, replaced: {} }), inspect, run);
  const options = spec.platform === undefined ? {} : { platform: spec.platform };
  const { id } = await engine.containers.create(name, spec.create, options);
  for (const { network, endpoint } of spec.connects) await engine.networks.connect(network, id, endpoint);
  return id;
}

/** Removes the helper. Missing is not an error. What stands in the data folder for it goes with the end of the run. */
export async function dismiss({ engine, member, run }: Site): Promise<void> {
  const helper = await inspectNamed(engine, workNames(member.name, run).hand);
  if (helper !== undefined) await engine.containers.remove(helper.Id, { force: true, volumes: true });
}

/** The member that was handed over to a helper, in a run that is not decided yet. */
export function handedOver(live: LiveRun): JournalMember | undefined {
  const run = live.journal();
  if (!reached(run, 'STOPPING') || reached(run, 'COMMIT')) return undefined;
  return run.members.find(({ self }) => self === true);
}

/**
 * Waits, in an instance that has just started, until what was handed over is decided: the old one learns why it is back and notes
 * it, the new one is let through when it holds. Until then the helper acts, and nobody else.
 */
export async function awaitVerdict(
  parts: DriveParts,
  live: LiveRun,
  context: OperationContext,
  member: JournalMember,
  noteFailure: (failure: Failure) => Promise<void>,
): Promise<void> {
  const { self } = parts.containers;
  const engine = parts.hosts.engine(live.run().host);
  const at: Place = { engine, member, run: live.id, signal: context.signal };
  if (self !== undefined && self === member.progress.newId) {
    await turnOfNew(parts, at, live, context);
    return;
  }
  if (live.journal().failure !== null) return;
  if (self !== member.inspect.Id) {
    await noteFailure(await elsewhere(parts, at));
    return;
  }
  const failure = await turnOfOld(parts, at, dataDirOf(parts));
  if (failure.cause === 'image') await untilWritten(parts, context, () => markCondemned(live, failure));
  await noteFailure(failure);
}

type Place = Pick<Site, 'engine' | 'member' | 'run' | 'signal'>;

/** Waits until it is the old one's turn again, and says why. */
async function turnOfOld(parts: ExecutorParts, at: Place, dataDir: string): Promise<Failure> {
  const { clock } = parts;
  const since = clock.now();
  for (;;) {
    const verdict = readVerdict(dataDir, at.run);
    if (verdict?.holds === false) return verdict.failure;
    const helper = await seenHelper(at);
    if (helper === 'gone' && verdict === undefined) return revoke(dataDir, at.run, interruptedText);
    if (verdict === undefined && clock.now() > since + patienceMs) {
      const failure = revoke(dataDir, at.run, 'The helper did not do its work in time. Its log says more.');
      if (helper === 'running') await clock.sleep(graceMs, at.signal);
      return failure;
    }
    await clock.sleep(lookAgainMs, at.signal);
  }
}

const interruptedText = 'The helper that was to replace Evenkeel was not started, or somebody removed it.';

function revoke(dataDir: string, run: string, reason: string): Failure {
  const verdict = decide(dataDir, run, failed(reason));
  return verdict.holds ? failed(reason).failure : verdict.failure;
}

function failed(reason: string): { holds: false; failure: Failure } {
  return { holds: false, failure: { cause: 'world', code: 'conflict', reason, leaveStopped: [] } };
}

/** `gone`: it is not there, or was never started and acts no more. An engine that does not answer says nothing: `unknown`. */
async function seenHelper({ engine, member, run }: Place): Promise<'gone' | 'running' | 'stopped' | 'unknown'> {
  try {
    const helper = await inspectNamed(engine, workNames(member.name, run).hand);
    if (helper === undefined || helper.State.Status === 'created') return 'gone';
    return isRunning(helper) ? 'running' : 'stopped';
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return 'unknown';
  }
}

/** Waits until the helper has let the new one through. Condemned, it waits for its end: the helper brings the old one back. */
async function turnOfNew(parts: DriveParts, at: Place, live: LiveRun, context: OperationContext): Promise<void> {
  const dataDir = dataDirOf(parts);
  const text = 'Evenkeel runs in the new container; the helper watches whether it holds';
  if (live.journal().failure === null) await untilWritten(parts, context, () => live.note('VERIFYING', text));
  context.progress({ done: 0, total: null, text: `${text}.` });
  for (;;) {
    const verdict = readVerdict(dataDir, at.run);
    const free = live.journal().failure === null && verdict?.holds !== false;
    if (free && (verdict?.holds === true || (await seenHelper(at)) === 'gone')) break;
    await parts.clock.sleep(lookAgainMs, at.signal);
  }
  const gap = await gapOf(at);
  await untilWritten(parts, context, () => markDone(live, gap));
}

/** Shows as done what the helper did: that we run is the proof. */
function markDone(live: LiveRun, gap: { gapMilliseconds?: number }): void {
  for (const { number } of stepsOfHelper(live)) live.done(number, undefined, gap);
}

/** The helper had come to the gate, its last step, and the new one did not pass. */
function markCondemned(live: LiveRun, { reason }: Failure): void {
  const theirs = stepsOfHelper(live);
  for (const { number } of theirs.slice(0, -1)) live.done(number);
  const gate = theirs.at(-1);
  if (gate !== undefined) live.failedStep(gate.number, reason);
}

/** From the hand over to the gate, as far as nobody has told what became of them. */
function stepsOfHelper(live: LiveRun): RunStep[] {
  const theirs = new Set<RunPhase>(['STOPPING', 'SWAPPING', 'STARTING', 'VERIFYING']);
  return live
    .run()
    .steps.filter(({ phase, state }) => theirs.has(phase) && (state === 'waiting' || state === 'running'));
}

async function gapOf({ engine, member }: Place): Promise<{ gapMilliseconds?: number }> {
  const [old, fresh] = await Promise.all([
    engine.containers.inspect(member.inspect.Id),
    engine.containers.inspect(member.progress.newId ?? ''),
  ]);
  const [ended, started] = [Date.parse(old?.State.FinishedAt ?? ''), Date.parse(fresh?.State.StartedAt ?? '')];
  return ended > 0 && started >= ended ? { gapMilliseconds: started - ended } : {};
}

/** Neither of the two containers is ours: we have the data, so neither of them can run with it. */
async function elsewhere(parts: ExecutorParts, at: Place): Promise<Failure> {
  const { name } = at.member;
  const reason = `Evenkeel was started elsewhere while ${name}, in which it ran, was being replaced: somebody else acted.`;
  revoke(dataDirOf(parts), at.run, reason);
  if ((await seenHelper(at)) !== 'gone') await parts.clock.sleep(graceMs, at.signal);
  return { cause: 'foreign', code: 'conflict', reason, leaveStopped: [name] };
}
