import type { Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
import { type Engine, EngineError } from '../platform/engine/engine.ts';
import { describeError } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import { copyDatabase, restoreDatabase, withFolderAlone } from '../platform/store/database-copy.ts';
import { imageAtFault } from './container-actions.ts';
import { failureOf } from './failures.ts';
import { passGate } from './gate.ts';
import { copyName, decide, type HandoverFacts, readFacts, readVerdict, type Verdict } from './handover-files.ts';
import { Drift, GateFailure, isRunning, nameOf, policyOf, workNames } from './run.ts';
import { engineShutsDown, StoppedFromOutside } from './stopped-from-outside.ts';
import { isUnreachable, waitForEngine } from './wait-for-engine.ts';

export interface TakeOverParts {
  readonly hosts: Hosts;
  readonly clock: Clock;
  readonly log: Log;
  /** Id of the helper's own container. */
  readonly self: string | undefined;
  readonly dataDir: string;
  readonly run: string;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;
const lookAgainMs = 2000;
/** The old one has been stopped by then; what its lease waits for is the end of its process. */
const leasePatienceMs = 60_000;
const mostRepeats = 3;
const noPolicy = { Name: 'no', MaximumRetryCount: 0 };

/**
 * The work of the helper: stops the container that handed over, gives its name to the new one, starts that and judges it. When it
 * does not hold, the old one is brought back. It keeps nothing in memory: begun again at any point, it looks and goes on. Ends with
 * the signal only; what has been decided is kept up until the instance that runs removes the helper.
 */
export async function takeOver(parts: TakeOverParts, signal: AbortSignal): Promise<void> {
  const { clock, log, dataDir, run } = parts;
  for (let pause = firstPauseMs; !signal.aborted; pause = Math.min(2 * pause, longestPauseMs)) {
    try {
      const facts = readFacts(dataDir, run);
      if (facts === undefined) log.info({ run }, 'there is nothing to take over');
      else await work(parts, facts, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error({ run, reason: describeError(error) }, 'taking over is not finished; it is tried again');
    }
    await clock.sleep(pause, signal).catch(() => {});
  }
}

async function work(parts: TakeOverParts, facts: HandoverFacts, signal: AbortSignal): Promise<void> {
  const { dataDir, run, log } = parts;
  const engine = parts.hosts.engine(facts.host);
  const site: HelperSite = { ...parts, facts, engine, signal };
  const verdict = readVerdict(dataDir, run) ?? decide(dataDir, run, await goForward(site));
  if (verdict.holds) log.info({ run }, `the new ${facts.name} holds`);
  else log.error({ run, reason: verdict.failure.reason }, `the old ${facts.name} is brought back`);
  const standing = verdict.holds ? facts.new : await bringBack(site);
  for (;;) {
    const container = await engine.containers.inspect(standing);
    if (container !== undefined && !isRunning(container)) await engine.containers.start(standing);
    await parts.clock.sleep(lookAgainMs, signal);
  }
}

interface HelperSite extends TakeOverParts {
  readonly facts: HandoverFacts;
  readonly engine: Engine;
  readonly signal: AbortSignal;
}

/** An engine that does not answer decides nothing: throws. */
async function goForward(site: HelperSite): Promise<Verdict> {
  try {
    await retireOld(site);
    await judgeNew(site);
    return { holds: true };
  } catch (error) {
    if (site.signal.aborted || isUnreachable(error)) throw error;
    return { holds: false, failure: failureOf(error) };
  }
}

async function retireOld(site: HelperSite): Promise<void> {
  const { engine, facts, dataDir, run } = site;
  const { prev } = workNames(facts.name, run);
  const [old, fresh] = await Promise.all([engine.containers.inspect(facts.old), engine.containers.inspect(facts.new)]);
  if (fresh === undefined) throw new Drift(`The new ${facts.name} is gone: somebody else removed it.`);
  if (old !== undefined) {
    if (policyOf(old).Name !== 'no') await engine.containers.update(old.Id, { RestartPolicy: noPolicy });
    // The old one may have given up waiting for us.
    if (readVerdict(dataDir, run) !== undefined) throw new Drift('It was decided otherwise meanwhile.');
    if (isRunning(old)) await engine.containers.stop(old.Id);
  }
  if (nameOf(fresh) === facts.name) return;
  await withFolderAlone(dataDir, { ...site, patienceMs: leasePatienceMs }, () => copyDatabase(dataDir, copyName(run)));
  if (old !== undefined && nameOf(old) === facts.name) await engine.containers.rename(old.Id, prev);
  await engine.containers.rename(fresh.Id, facts.name);
}

/** Starts the new one and passes it through its gate. What ended by a restart of the engine is started again, and the gate begins anew. */
async function judgeNew(site: HelperSite): Promise<void> {
  const { hosts, facts, signal } = site;
  let outages = 0;
  const stop = hosts.onPicture((change) => {
    if (change.all && hosts.picture(facts.host).stale) outages += 1;
  });
  try {
    for (let repeats = 0; ; repeats += 1) {
      const before = outages;
      await startNew(site);
      try {
        const subject = { ...facts, id: facts.new, name: `The new ${facts.name}`, restarts: 0 };
        await passGate(site, subject, signal);
        return;
      } catch (error) {
        const away = outages > before || hosts.picture(facts.host).stale;
        if (error instanceof StoppedFromOutside) {
          if (!away && !(await engineShutsDown(site, facts.host, facts.new, signal))) throw new Drift(error.message);
        } else if (!(isUnreachable(error) || (error instanceof GateFailure && away))) throw error;
        if (repeats === mostRepeats) throw error;
        await waitForEngine(site, facts.host, signal);
      }
    }
  } finally {
    stop();
  }
}

async function startNew({ engine, facts }: HelperSite): Promise<void> {
  const fresh = await engine.containers.inspect(facts.new);
  if (fresh !== undefined && isRunning(fresh)) return;
  try {
    await engine.containers.start(facts.new);
  } catch (error) {
    const blamed = error instanceof EngineError && imageAtFault.test(error.message);
    if (blamed) throw new GateFailure(`The new ${facts.name} could not be started: ${error.message}`);
    throw error;
  }
}

/** The rest, from the removal of the new one on, does the old one itself. Returns the id of the one that is to run. */
async function bringBack(site: HelperSite): Promise<string> {
  const { engine, facts, dataDir, run, log } = site;
  const { next } = workNames(facts.name, run);
  const [old, fresh] = await Promise.all([engine.containers.inspect(facts.old), engine.containers.inspect(facts.new)]);
  if (old === undefined) {
    log.error({ run }, `the old ${facts.name} is gone: the new one is kept as it is`);
    return facts.new;
  }
  if (fresh !== undefined) {
    if (policyOf(fresh).Name !== 'no') await engine.containers.update(fresh.Id, { RestartPolicy: noPolicy });
    if (isRunning(fresh)) await engine.containers.stop(fresh.Id);
  }
  if (!isRunning(old)) {
    await withFolderAlone(dataDir, { ...site, patienceMs: leasePatienceMs }, () => {
      if (restoreDatabase(dataDir, copyName(run)))
        log.warn({ run }, 'the new version had changed the form of the database: its state before that is back');
    });
  }
  if (fresh !== undefined && nameOf(fresh) === facts.name) await engine.containers.rename(fresh.Id, next);
  if (nameOf(old) !== facts.name) await engine.containers.rename(old.Id, facts.name);
  if (policyOf(old).Name !== facts.policy.Name) await engine.containers.update(old.Id, { RestartPolicy: facts.policy });
  if (!isRunning(old)) await engine.containers.start(old.Id);
  return old.Id;
}
