import type { Finding, Gate, PlanStep, Run, RunPhase, Strategy } from '@evenkeel/contract';
import type { ContainerInspect, HostConfig, ImageInspect } from '../platform/engine/engine-types.ts';
import type { MemberGate } from './gate-terms.ts';
import { plainName } from './spec-api.ts';
import type { ReplacementSpec } from './spec-types.ts';

export type RestartPolicy = NonNullable<HostConfig['RestartPolicy']>;

/** Which of a member's containers: the one that ran before, its replacement, or the holder of the volumes of a `--rm` one. */
export type Which = 'old' | 'new' | 'holder';

/**
 * What a step asks of the engine: one call that changes something, or one observation. Executing it twice is harmless, because
 * the executor looks at the present state first.
 */
export type Action =
  | { readonly do: 'tag'; readonly imageId: string | 'pulled'; readonly reference: string }
  | { readonly do: 'pull'; readonly reference: string; readonly registryHost: string; readonly platform: string | null }
  | { readonly do: 'create'; readonly which: Which }
  | { readonly do: 'connect'; readonly which: 'old' | 'new'; readonly network: string }
  | { readonly do: 'disconnect'; readonly network: string }
  | { readonly do: 'copy'; readonly paths: readonly string[] }
  | { readonly do: 'verify'; readonly which: 'old' | 'new' }
  | { readonly do: 'policy'; readonly policy: RestartPolicy; readonly quiesce: boolean }
  | { readonly do: 'stop'; readonly which: 'old' | 'new' }
  | { readonly do: 'rename'; readonly which: 'old' | 'new'; readonly to: string }
  | { readonly do: 'start'; readonly which: 'old' | 'new' }
  | { readonly do: 'gate'; readonly which: 'old' | 'new' }
  | { readonly do: 'remove'; readonly which: Which; readonly volumes: boolean }
  /** Gives what follows to a helper container, because it stops the container in which we run. Never done by whoever does it. */
  | { readonly do: 'handover' }
  /** Removes that helper. */
  | { readonly do: 'dismiss' };

/** A step of a plan with what it does; the rest of it is what people see. */
export interface Step extends Omit<PlanStep, 'number'> {
  readonly action: Action;
}

/** What an update brings in, fixed when it was asked for. */
export interface Target {
  /** `Config.Image` of the replacement. */
  readonly image: string;
  readonly tag: string | null;
  readonly digest: string | null;
  /** Digest of the manifest for the platform; null for a rollback. */
  readonly manifestDigest: string | null;
  readonly candidateId: string | null;
  /** `registry/repository`, normalised; null for a rollback. */
  readonly repository: string | null;
  /** What to pull; null when the image is on the engine already (a rollback). */
  readonly pull: { readonly reference: string; readonly registryHost: string; readonly platform: string | null } | null;
  /** The ids under which an engine may know the image (config digest, or manifest digest with the containerd store). */
  readonly imageIds: readonly string[];
  /** For a rollback: what is undone, so that it is not proposed again at once. */
  readonly undoes: { readonly candidateId: string; readonly digest: string } | null;
}

/** What was asked; enough to plan again at the moment at which the work begins. */
export interface Wish {
  readonly host: string;
  /** Container name: the id may have changed by the time the run begins. */
  readonly name: string;
  readonly kind: Run['kind'];
  readonly target: Target;
  readonly strategy: Strategy | null;
  readonly gate: Gate | null;
  /** What had the name when it was asked: another one is left alone. */
  readonly from?: { readonly image: string; readonly imageId: string };
}

/**
 * `update`: replaced by one from the new image. `recreate`: replaced by one from its own image, because it hangs on a container
 * that is replaced. `restart`: only stopped and started again.
 */
export type MemberRole = 'update' | 'recreate' | 'restart';

/** The facts of one container of a run as they were before anything changed. Journaled before the first step. */
export interface Member {
  readonly name: string;
  readonly role: MemberRole;
  readonly relation: string | null;
  readonly inspect: ContainerInspect;
  readonly oldImage: ImageInspect;
  /** `Config.Image` of the replacement. */
  readonly image: string;
  readonly wasRunning: boolean;
  readonly policy: RestartPolicy;
  readonly autoRemove: boolean;
  readonly emptyVolumes: readonly string[];
  readonly injected: readonly string[];
  /** Networks to connect after the create and before the start (API < 1.44 takes only one at create). */
  readonly connects: readonly string[];
  readonly gate: MemberGate;
  /** The image that the configured reference named before the run; null when it named none. */
  readonly referenceBefore: string | null;
  /** It is the container in which Evenkeel runs: a helper stops it and starts its replacement. */
  readonly self?: boolean;
}

/** How far a member has come; grows with the journal. */
export interface MemberProgress {
  readonly newId: string | null;
  readonly newImage: ImageInspect | null;
  readonly holderId: string | null;
  /** The old container, created again from the journal. */
  readonly restoredId: string | null;
  readonly spec: ReplacementSpec | null;
}

export type JournalMember = Member & { readonly progress: MemberProgress };

/** One run as the journal has it: what recovery and the executor work from. */
export interface JournalRun {
  readonly id: string;
  readonly wish: Wish;
  readonly strategy: Strategy;
  readonly phase: RunPhase;
  /** The furthest phase on the way forward; stays when the run goes back. */
  readonly furthest: RunPhase;
  /** Why it goes back; null while it goes forward. */
  readonly failure: Failure | null;
  readonly members: readonly JournalMember[];
}

/** `image`: the new image is at fault. `world`: something around it. `foreign`: somebody else acted. `cancelled`, `interrupted`: us. */
export interface Failure {
  readonly cause: 'image' | 'world' | 'foreign' | 'cancelled' | 'interrupted';
  readonly code: string;
  readonly reason: string;
  /** Members that somebody else stopped meanwhile: going back does not start them. */
  readonly leaveStopped: readonly string[];
}

/** Somebody else changed what the run works on. The run stops and leaves alone what is not its own. */
export class Drift extends Error {
  readonly leaveStopped: string | undefined;

  constructor(message: string, options: { leaveStopped?: string } = {}) {
    super(message);
    this.name = 'Drift';
    this.leaveStopped = options.leaveStopped;
  }
}

/** The new container does not hold what was promised. */
export class GateFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GateFailure';
  }
}

/** Names that exist only while a run is at work (section 6 of the specification). */
export function workNames(name: string, run: string): { next: string; prev: string; hold: string; hand: string } {
  return {
    next: `${name}.next.${run}`,
    prev: `${name}.prev.${run}`,
    hold: `${name}.hold.${run}`,
    hand: `${name}.hand.${run}`,
  };
}

/** Where the image that a run replaced stays for a later rollback: `evenkeel-rollback/<name>:<run>`. */
export function rollbackReference(name: string, run: string): string {
  const repository = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return `evenkeel-rollback/${repository === '' ? 'container' : repository}:${run}`;
}

/** `registry:5000/a/b:1@sha256:…` → repository `registry:5000/a/b` and tag `1`; undefined where a tag cannot be set. */
export function taggable(reference: string): { repository: string; tag: string } | undefined {
  if (reference.includes('@') || /^(sha256:)?[0-9a-f]{64}$/.test(reference)) return undefined;
  const colon = reference.lastIndexOf(':');
  if (colon <= reference.lastIndexOf('/')) return { repository: reference, tag: 'latest' };
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

export function isRunning(container: ContainerInspect): boolean {
  return container.State.Running || container.State.Restarting;
}

export function policyOf(container: ContainerInspect): RestartPolicy {
  return plainPolicy(container.HostConfig.RestartPolicy);
}

/** The restart policy with the two spellings of "none" made one. */
export function plainPolicy(policy: HostConfig['RestartPolicy']): RestartPolicy {
  const { Name = '', MaximumRetryCount = 0 } = policy ?? {};
  return Name === '' || Name === 'no'
    ? { Name: 'no', MaximumRetryCount: 0 }
    : { Name, MaximumRetryCount: Name === 'on-failure' ? MaximumRetryCount : 0 };
}

export function nameOf(container: ContainerInspect): string {
  return plainName(container.Name);
}

/** States in which nothing more happens to a run. */
export function isFinished(state: Run['state']): boolean {
  return state !== 'queued' && state !== 'running' && state !== 'rolling-back';
}

/** Whether a run has come as far as a phase on its way forward. */
export function reached(run: Pick<JournalRun, 'furthest' | 'strategy'>, phase: RunPhase): boolean {
  return further(run.strategy, run.furthest, phase) === run.furthest;
}

/** The later one of two phases, in the order of the strategy (section 6.2: start-first starts before it stops). */
export function further(strategy: Strategy, one: RunPhase, other: RunPhase): RunPhase {
  const order = orders[strategy];
  return order.indexOf(one) >= order.indexOf(other) ? one : other;
}

const prepare = ['PLANNED', 'HOLDING', 'CREATING', 'CREATED'] as const;
const retire = ['QUIESCING', 'STOPPING', 'SWAPPING'] as const;
const raise = ['STARTING', 'VERIFYING'] as const;
const orders: Readonly<Record<Strategy, readonly RunPhase[]>> = {
  recreate: [...prepare, ...retire, ...raise, 'COMMIT', 'DONE'],
  'start-first': [...prepare, ...raise, ...retire, 'COMMIT', 'DONE'],
};

/** A finding for people, made in one place so that its shape stays the same. */
export function finding(code: string, text: string, remedy: string | null = null): Finding {
  return { code, text, remedy };
}
