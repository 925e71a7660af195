import type { RunPhase, Strategy } from '@evenkeel/contract';
import { describeGate } from './gate-terms.ts';
import { type Member, type Step, type Target, taggable, workNames } from './run.ts';
import { namedNetworks } from './spec-networks.ts';
import * as steps from './steps.ts';

export interface PlanInput {
  /** Id of the run; for a plan that is only shown, any text. */
  readonly run: string;
  readonly strategy: Strategy;
  readonly target: Target;
  /** The owner first, then its dependants in the order in which they start. */
  readonly members: readonly Member[];
}

/**
 * The steps of a run, in order: nothing is taken away before its replacement exists. Create all, stop in reverse order, swap,
 * start in order, each with its gate, and remove the old ones only then (sections 6 and 8). Pure.
 */
export function planSteps(input: PlanInput): Step[] {
  const { members } = input;
  const replaced = members.filter(({ role }) => role !== 'restart');
  const prepared = [
    ...members.flatMap((member) => fetchSteps(input, member)),
    ...replaced.filter(({ autoRemove }) => autoRemove).map((member) => holderStep(input, member)),
    ...replaced.flatMap((member) => createSteps(input, member)),
  ];
  const own = members.filter(({ self }) => self === true);
  const retire = [
    ...own.map((member) => steps.handOver(site(input, 'STOPPING', member))),
    ...replaced.flatMap((member) => quiesceSteps(input, member)),
    ...(input.strategy === 'start-first' ? members.flatMap((member) => leaveSteps(input, member)) : []),
    ...members.toReversed().flatMap((member) => stopSteps(input, member)),
    ...replaced.flatMap((member) => swapSteps(input, member)),
  ];
  const raise = members.flatMap((member) => startSteps(input, member));
  const commit = [
    ...own.map((member) => steps.dismiss(site(input, 'COMMIT', member), 'the new one holds and goes on by itself')),
    ...replaced.flatMap((member) => commitSteps(input, member)),
  ];
  return input.strategy === 'start-first'
    ? [...prepared, ...raise, ...retire, ...commit]
    : [...prepared, ...retire, ...raise, ...commit];
}

const site = (input: PlanInput, phase: RunPhase, member: Member) => ({ run: input.run, phase, member });

function fetchSteps(input: PlanInput, member: Member): Step[] {
  if (member.role !== 'update') return [];
  const { target } = input;
  const at = site(input, 'PLANNED', member);
  const found = [steps.keepImage(at, member.oldImage.Id)];
  if (target.pull !== null) found.push(steps.pull(at, target.pull));
  if (taggable(member.image) !== undefined) {
    found.push(steps.pointReference(at, broughtIn(target), member.image, 'the container keeps the name of its image'));
  }
  return found;
}

function broughtIn(target: Target): string | 'pulled' {
  return target.pull === null ? (target.imageIds[0] ?? 'pulled') : 'pulled';
}

function holderStep(input: PlanInput, member: Member): Step {
  return steps.create(site(input, 'HOLDING', member), 'holder', 'stopping a --rm container destroys its volumes');
}

function createSteps(input: PlanInput, member: Member): Step[] {
  const own = member.role === 'recreate';
  const at = site(input, own ? 'CREATED' : 'CREATING', member);
  const cause = own
    ? `${member.relation ?? 'it depends on what is replaced'}: it must follow the replacement, from its own image`
    : 'the replacement exists before anything is stopped';
  const found = [steps.create(at, 'new', cause)];
  for (const network of member.connects) found.push(steps.connect(at, 'new', network));
  if (member.injected.length > 0) found.push(steps.copyFiles(at, member.injected));
  found.push(steps.verify({ ...at, phase: 'CREATED' }, 'new'));
  return found;
}

function quiesceSteps(input: PlanInput, member: Member): Step[] {
  if (member.autoRemove || member.policy.Name === 'no') return [];
  // The helper does it, and recovery has to count on all that the helper may do from the hand over on.
  const phase = member.self === true ? 'STOPPING' : 'QUIESCING';
  return [steps.setPolicy(site(input, phase, member), { Name: 'no', MaximumRetryCount: 0 }, true)];
}

/** A stopping container is found by its names until the engine has seen it end: whoever asks meanwhile is refused. */
function leaveSteps(input: PlanInput, member: Member): Step[] {
  const at = site(input, 'STOPPING', member);
  return namedNetworks(member.inspect).map((network) => steps.disconnect(at, network));
}

function stopSteps(input: PlanInput, member: Member): Step[] {
  if (!member.wasRunning) return [];
  const cause = member.role === 'update' ? 'its replacement is ready' : 'what it depends on is replaced';
  return [steps.stop(site(input, 'STOPPING', member), 'old', cause, member.inspect.Config.StopTimeout ?? 10)];
}

function swapSteps(input: PlanInput, member: Member): Step[] {
  const at = site(input, 'SWAPPING', member);
  const { prev } = workNames(member.name, input.run);
  const gone = member.autoRemove && member.wasRunning;
  return [
    ...(gone ? [] : [steps.rename(at, 'old', prev, 'its name is for the new one')]),
    steps.rename(at, 'new', member.name, 'it takes the place of the old one'),
  ];
}

function startSteps(input: PlanInput, member: Member): Step[] {
  if (!member.wasRunning) return [];
  const which = member.role === 'restart' ? 'old' : 'new';
  const cause = which === 'new' ? 'the old one was running' : 'what it depends on is back';
  return [
    steps.start(site(input, 'STARTING', member), which, cause),
    steps.gate(site(input, 'VERIFYING', member), which, describeGate(member.gate, member.inspect.Config.Healthcheck)),
  ];
}

function commitSteps(input: PlanInput, member: Member): Step[] {
  const at = site(input, 'COMMIT', member);
  const gone = member.autoRemove && member.wasRunning;
  return [
    ...(gone ? [] : [steps.remove(at, 'old', false, 'the new one holds; volumes stay')]),
    ...(member.autoRemove ? [steps.remove(at, 'holder', false, 'the new one holds the volumes')] : []),
  ];
}

/** Seconds between the end of the old container and the start of the new one, as far as they can be told beforehand. */
export function expectedGap(input: PlanInput): number {
  if (input.strategy === 'start-first') return 0;
  return 2 * input.members.filter(({ wasRunning }) => wasRunning).length;
}
