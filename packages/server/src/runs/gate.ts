import type { Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { Fault } from '../platform/fault.ts';
import { gateTerms, type MemberGate } from './gate-terms.ts';
import { probe } from './probe.ts';
import { GateFailure, nameOf } from './run.ts';
import { StoppedFromOutside } from './stopped-from-outside.ts';

export interface GateSubject {
  readonly host: string;
  readonly id: string;
  /** How people know it. */
  readonly name: string;
  readonly gate: MemberGate;
  /** Restarts that are not held against it: 0 for a new container. */
  readonly restarts: number;
}

/** The events wake us; this is only for an event that got lost. */
const lookAgainMs = 5000;
const betweenProbesMs = 500;

/**
 * Resolves when the container holds: healthy by its own health check, or running for the wished time; then the probe, if one is
 * wished. One that is to end holds when it has ended with code 0. Any other exit, restart or OOM kill, an unhealthy health check or a deadline throws `GateFailure` with the reason.
 * Stopped through the engine, it throws `StoppedFromOutside`. An engine that stops answering throws `engine_unreachable`: both say
 * nothing about the container.
 */
export async function passGate(
  deps: { hosts: Hosts; clock: Clock; self: string | undefined },
  subject: GateSubject,
  signal: AbortSignal,
): Promise<void> {
  const { hosts, clock } = deps;
  const { host, id, gate } = subject;
  const engine = hosts.engine(host);
  const look = async () => judgeable(subject, await engine.containers.inspect(id, signal));
  const first = await look();
  const check = (container: ContainerInspect) => {
    const signalledAt = hosts.signalledAt(host, id) ?? 0;
    const stopped = !container.State.Running || container.State.StartedAt !== first.State.StartedAt;
    if (stopped && signalledAt > Date.parse(first.State.StartedAt)) throw new StoppedFromOutside(subject.name);
    judge(subject, first, container);
  };
  const terms = gateTerms(gate, first.Config.Healthcheck);
  const seconds = terms.kind === 'health' ? terms.healthSeconds : terms.seconds;
  if (terms.kind === 'end') {
    await untilHolds({ hosts, clock }, subject, signal, clock.now() + seconds * 1000, async (overdue) => {
      const container = await look();
      const { Status, ExitCode } = container.State;
      if (Status === 'exited' && ExitCode === 0) return true;
      check(container);
      if (overdue)
        throw new GateFailure(`${subject.name} did not end within ${seconds} s, and others wait for its end.`);
      return false;
    });
    return;
  }
  check(first);
  await untilHolds({ hosts, clock }, subject, signal, clock.now() + seconds * 1000, async (overdue) => {
    const container = await look();
    check(container);
    if (terms.kind === 'running') return overdue;
    if (container.State.Health?.Status === 'healthy') return true;
    if (overdue)
      throw new GateFailure(`${subject.name} did not become healthy within ${seconds} s.${output(container)}`);
    return false;
  });
  if (gate.http === undefined && gate.tcp === undefined) return;
  const deadline = clock.now() + terms.probeSeconds * 1000;
  for (;;) {
    const container = await look();
    check(container);
    const failure = await probe(engine, deps.self, container, gate, signal);
    if (failure === undefined) {
      check(await look());
      return;
    }
    if (clock.now() > deadline) {
      const what = `${subject.name} did not answer within ${terms.probeSeconds} s: ${failure.text}.`;
      if (failure.reached) throw new GateFailure(what);
      throw new Fault(
        'conflict',
        `${what} It could not be reached from where Evenkeel runs, so its image is not blamed.`,
      );
    }
    await clock.sleep(betweenProbesMs, signal);
  }
}

/** Asks `holds` at each change of the container until it says so or throws; `overdue` once the deadline has passed. */
async function untilHolds(
  { hosts, clock }: { hosts: Hosts; clock: Clock },
  { host, id }: GateSubject,
  signal: AbortSignal,
  deadline: number,
  holds: (overdue: boolean) => Promise<boolean>,
): Promise<void> {
  let changed = false;
  let wake = () => {};
  const stop = hosts.onPicture((change) => {
    if (change.host !== host || !(change.all || change.containers.includes(id))) return;
    changed = true;
    wake();
  });
  try {
    for (;;) {
      changed = false;
      if (await holds(clock.now() >= deadline)) return;
      if (changed) continue;
      const pause = new AbortController();
      const rest = Math.min(lookAgainMs, Math.max(1, deadline - clock.now()));
      wake = () => pause.abort();
      await clock.sleep(rest, AbortSignal.any([signal, pause.signal])).catch(() => signal.throwIfAborted());
    }
  } finally {
    stop();
  }
}

function judgeable(subject: GateSubject, container: ContainerInspect | undefined): ContainerInspect {
  if (container === undefined) throw new GateFailure(`${subject.name} is gone: it ended, or somebody removed it.`);
  return container;
}

/** Throws when the container did what a good one does not do. */
function judge(subject: GateSubject, first: ContainerInspect, now: ContainerInspect): void {
  const { State: state } = now;
  const { name } = subject;
  if (state.OOMKilled) throw new GateFailure(`${name} was killed because it ran out of memory.`);
  if (state.Restarting || now.RestartCount > subject.restarts)
    throw new GateFailure(
      `${name} ended${state.Running ? '' : ` with code ${state.ExitCode}`} and was restarted by its policy.`,
    );
  if (!state.Running) {
    const error = state.Error === '' ? '' : ` (${state.Error})`;
    throw new GateFailure(`${name} ended with code ${state.ExitCode} right after its start${error}.`);
  }
  if (state.Paused) throw new GateFailure(`${name} was paused by somebody while it was being checked.`);
  if (state.StartedAt !== first.State.StartedAt)
    throw new GateFailure(`${name} was started again while it was being checked.`);
  if (state.Health?.Status === 'unhealthy') throw new GateFailure(`${name} is unhealthy.${output(now)}`);
  if (nameOf(now) !== nameOf(first))
    throw new GateFailure(`${name} was renamed to ${nameOf(now)} by somebody while it was being checked.`);
}

/** What the last health check said. */
function output(container: ContainerInspect): string {
  const last = container.State.Health?.Log?.at(-1)?.Output.trim();
  return last === undefined || last === '' ? '' : ` Its health check said: ${last.slice(0, 300)}`;
}
