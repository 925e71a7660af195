import type { Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
import { type Engine, EngineError } from '../platform/engine/engine.ts';
import type { ContainerInspect, ImageInspect } from '../platform/engine/engine-types.ts';
import { Fault } from '../platform/fault.ts';
import { copyFile } from './copy-files.ts';
import { checkUntouched } from './drift.ts';
import { passGate } from './gate.ts';
import { withReference } from './image-actions.ts';
import { inspectNamed, locate } from './look.ts';
import type { NameQueue } from './name-queue.ts';
import {
  Drift,
  GateFailure,
  isRunning,
  type JournalMember,
  nameOf,
  policyOf,
  type RestartPolicy,
  type Which,
  workNames,
} from './run.ts';
import { buildHolder } from './spec.ts';
import { compareWithPlan } from './spec-compare.ts';
import { sameEndpoint } from './spec-networks.ts';
import type { ReplacementSpec } from './spec-types.ts';

/** Where an action takes place. */
export interface Site {
  readonly engine: Engine;
  readonly hosts: Hosts;
  readonly clock: Clock;
  readonly host: string;
  readonly run: string;
  readonly member: JournalMember;
  /** Networks that the run takes the old container off. */
  readonly left: readonly string[];
  /** True while the run goes back: then nothing is compared with what it was before. */
  readonly goingBack: boolean;
  /** The same step was tried before, and its answer was lost: what it finds may be its own work. */
  readonly repeated: boolean;
  /** True when the engine was away meanwhile: what stopped since then was not stopped by a person. */
  readonly disturbed: boolean;
  readonly signal: AbortSignal;
  /** Id of the container in which we run. */
  readonly self: string | undefined;
  /** Who works with which reference now. */
  readonly references: NameQueue;
}

/** Creates a container under its working name, or finds the one that an earlier attempt created whose answer was lost. */
export async function createContainer(site: Site, which: Which, spec: ReplacementSpec | null): Promise<string> {
  const { engine, member, run } = site;
  const names = workNames(member.name, run);
  const name = { old: names.prev, new: names.next, holder: names.hold }[which];
  const present = await inspectNamed(engine, name);
  if (present !== undefined) return present.Id;
  if (which === 'holder') return (await engine.containers.create(name, buildHolder(member.inspect))).id;
  if (spec === null) throw new Error(`The spec of ${name} was not computed.`);
  const options = spec.platform === undefined ? {} : { platform: spec.platform };
  try {
    const imageId = which === 'new' ? expectedImage(member).Id : member.oldImage.Id;
    const wanted = { reference: spec.create.Image ?? imageId, imageId };
    const made = await withReference(site, wanted, () => engine.containers.create(name, spec.create, options));
    return made.id;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    // An earlier attempt, given up for its silence, is still at work: the engine takes the name first and shows the container later.
    const late = error.status === 409 ? await untilShown(site, name) : undefined;
    if (late !== undefined) return late.Id;
    const what = which === 'new' ? 'the new' : 'the old';
    throw new Fault('engine_refused', `The engine refused to create ${what} ${member.name}: ${error.message}`, {
      cause: error,
    });
  }
}

const longestCreateMs = 60_000;
const lookAgainMs = 500;

async function untilShown({ engine, clock, signal }: Site, name: string): Promise<ContainerInspect | undefined> {
  for (const deadline = clock.now() + longestCreateMs; clock.now() < deadline; await clock.sleep(lookAgainMs, signal)) {
    const found = await inspectNamed(engine, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export async function connectNetwork(site: Site, which: 'old' | 'new', network: string): Promise<void> {
  const container = await required(site, which);
  if (container.NetworkSettings.Networks[network] !== undefined) return;
  const { inspect, progress } = site.member;
  const planned = progress.spec?.connects.find((one) => one.network === network)?.endpoint;
  const endpoint = container.Id === inspect.Id ? sameEndpoint(network, inspect) : planned;
  if (endpoint === undefined) return;
  await site.engine.networks.connect(network, container.Id, endpoint);
}

/** Takes the old container off a network, unless somebody else changed it since the plan. */
export async function disconnectNetwork(site: Site, network: string): Promise<void> {
  const container = await required(site, 'old');
  if (!site.goingBack) checkUntouched(site.member, container, site);
  if (container.NetworkSettings.Networks[network] === undefined) return;
  await site.engine.networks.disconnect(network, container.Id);
}

export async function copyFiles(site: Site, paths: readonly string[]): Promise<void> {
  const [from, to] = [await required(site, 'old'), await required(site, 'new')];
  for (const path of paths) await copyFile(site.engine, from.Id, to.Id, path);
}

/** The image that a replacement is created from: the new one, or its own for a dependant. */
function expectedImage({ name, role, oldImage, progress }: JournalMember): ImageInspect {
  const image = role === 'update' ? progress.newImage : oldImage;
  if (image === null) throw new Error(`The image of the new ${name} is not known.`);
  return image;
}

/** Throws `fidelity_mismatch` when the engine made something else of the plan. */
export function compare(member: JournalMember, container: ContainerInspect): void {
  const { spec } = member.progress;
  if (spec === null) return;
  const differences = compareWithPlan(spec, container, { newImage: expectedImage(member) });
  if (differences.length === 0) return;
  const paths = differences
    .slice(0, 5)
    .map(({ path, expected, observed }) =>
      holdsSecrets.test(path) ? path : `${path}: ${brief(expected)} became ${brief(observed)}`,
    );
  throw new Fault(
    'fidelity_mismatch',
    `The engine made the new ${member.name} different from the plan (${paths.join('; ')}).`,
  );
}

/** What people put secrets into: the reason of a run is stored and shown in clear. */
const holdsSecrets = /\b(Env|Cmd|Entrypoint|Labels|Healthcheck|LogConfig|DriverOpts|Annotations)\b/;

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

export async function verify(site: Site, which: 'old' | 'new'): Promise<void> {
  compare(site.member, await required(site, which));
}

export async function setPolicy(site: Site, policy: RestartPolicy, quiesce: boolean): Promise<void> {
  const container = await required(site, 'old');
  if (quiesce) {
    checkUntouched(site.member, container, site);
    const now = policyOf(container);
    // Set by us already when the reply was lost.
    if (now.Name !== site.member.policy.Name && now.Name !== policy.Name)
      throw new Drift(`The restart policy of ${site.member.name} was changed to ${now.Name} by somebody else.`);
  }
  await site.engine.containers.update(container.Id, { RestartPolicy: policy });
}

/** Stops, and waits until a `--rm` container is gone. Returns when it ended, in milliseconds since 1970. */
export async function stopContainer(site: Site, which: 'old' | 'new'): Promise<number> {
  const { engine, member, clock } = site;
  const container = await locate(engine, site.run, member, which);
  if (container === undefined) {
    if (site.goingBack || (member.autoRemove && (site.repeated || site.disturbed))) return clock.now();
    throw new Drift(`${member.name} was removed by somebody else.`);
  }
  const doneBefore = (site.repeated && !isRunning(container)) || endedByItself(site, container);
  if (which === 'old' && !site.goingBack && !doneBefore) checkUntouched(member, container, site);
  if (which === 'old' && !site.goingBack && member.autoRemove) await checkKept(site);
  const vanishes = container.HostConfig.AutoRemove === true && isRunning(container);
  // Opened before the stop: afterwards there may be nothing left to wait for.
  const removed = vanishes ? engine.containers.wait(container.Id, 'removed', site.signal) : undefined;
  removed?.catch(() => {});
  try {
    await engine.containers.stop(container.Id);
  } catch (error) {
    if (!(error instanceof EngineError && error.status === 404)) throw error;
  }
  await removed;
  const after = await engine.containers.inspect(container.Id);
  if (after !== undefined && isRunning(after))
    throw new Fault('engine_refused', `${nameOf(after)} still runs after it was stopped.`);
  return Date.parse(after?.State.FinishedAt ?? '') || clock.now();
}

/** It was not stopped through the engine: what a crash-looping container does between two looks is nobody's interference. */
function endedByItself({ hosts, host, member, goingBack, disturbed }: Site, container: ContainerInspect): boolean {
  if (goingBack || disturbed || !member.wasRunning || isRunning(container)) return false;
  const signalledAt = hosts.signalledAt(host, container.Id) ?? 0;
  return signalledAt < Date.parse(container.State.StartedAt);
}

/** The stop of a `--rm` container destroys it and its volumes: what keeps them must be there. */
async function checkKept(site: Site): Promise<void> {
  for (const which of ['holder', 'new'] as const) {
    if (site.member.role === 'restart' || (await locate(site.engine, site.run, site.member, which)) !== undefined)
      continue;
    const name = workNames(site.member.name, site.run)[which === 'new' ? 'next' : 'hold'];
    throw new Drift(
      `${name} is gone: somebody else removed it. Without it the volumes of ${site.member.name} would be lost.`,
    );
  }
}

export async function renameContainer(site: Site, which: 'old' | 'new', to: string): Promise<void> {
  const { engine, member } = site;
  const container = await required(site, which);
  const name = nameOf(container);
  if (name === to) return;
  const names = workNames(member.name, site.run);
  const oldName = site.goingBack ? names.prev : member.name;
  const expected = which === 'new' ? names.next : oldName;
  if (name !== expected) throw new Drift(`${expected} was renamed to ${name} by somebody else.`);
  if (which === 'old' && !site.goingBack && isRunning(container))
    throw new Drift(`${member.name} was started again by somebody else while it was being replaced.`);
  try {
    await engine.containers.rename(container.Id, to);
  } catch (error) {
    if (!(error instanceof EngineError && error.status === 409)) throw error;
    throw new Drift(`The name ${to} was taken by another container meanwhile.`);
  }
}

export async function startContainer(site: Site, which: 'old' | 'new'): Promise<void> {
  const container = await required(site, which);
  if (isRunning(container)) return;
  try {
    await site.engine.containers.start(container.Id);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const what = `${which === 'new' ? 'The new' : 'The old'} ${site.member.name} could not be started: ${error.message}`;
    const blamed = which === 'new' && site.member.role === 'update' && !site.goingBack;
    if (blamed && imageAtFault.test(error.message)) throw new GateFailure(what);
    throw new Fault('engine_refused', what, { cause: error });
  }
}

/** Start errors that come from what is in the image; all others come from what is around it. */
export const imageAtFault =
  /exec:|executable file not found|exec format error|no such file or directory|permission denied|unable to find user|no matching entries in passwd|no users found|not a directory/i;

export async function awaitGate(site: Site, which: 'old' | 'new'): Promise<void> {
  const container = await required(site, which);
  const { hosts, clock, self, host, member, signal } = site;
  const restarts = which === 'new' ? 0 : container.RestartCount;
  const subject = { host, id: container.Id, name: which === 'new' ? `The new ${member.name}` : member.name };
  try {
    await passGate({ hosts, clock, self }, { ...subject, gate: member.gate, restarts }, signal);
  } catch (error) {
    // A dependant that does not hold says nothing about the image that was brought in.
    if (error instanceof GateFailure && member.role !== 'update') throw new Fault('conflict', error.message);
    throw error;
  }
}

/** Removes what is ours; missing is not an error. The old one only while it has the name that we gave it. */
export async function removeContainer(site: Site, which: Which, volumes: boolean): Promise<void> {
  const { engine, member, run } = site;
  const container = await locate(engine, run, member, which);
  if (container === undefined) return;
  const name = nameOf(container);
  if (which === 'old' && !site.goingBack && name !== workNames(member.name, run).prev) return;
  try {
    await engine.containers.remove(container.Id, { volumes, force: which !== 'old' });
  } catch (error) {
    const underWay = error instanceof EngineError && error.status === 409 && /already in progress/.test(error.message);
    if (!underWay) throw error;
    await engine.containers.wait(container.Id, 'removed', site.signal);
  }
}

async function required(site: Site, which: Which): Promise<ContainerInspect> {
  const container = await locate(site.engine, site.run, site.member, which);
  if (container !== undefined) return container;
  const { name } = site.member;
  const what = which === 'old' ? name : workNames(name, site.run)[which === 'new' ? 'next' : 'hold'];
  throw new Drift(`${what} is gone: somebody else removed it, or the engine did.`);
}
