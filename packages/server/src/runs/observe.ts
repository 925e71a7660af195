import type { Finding, Gate, Strategy } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { Hosts } from '../hosts/index.ts';
import type { Engine } from '../platform/engine/engine.ts';
import type { ContainerInspect, ImageInspect } from '../platform/engine/engine-types.ts';
import { Fault } from '../platform/fault.ts';
import type { Registries } from '../registries/index.ts';
import type { SettingsSource } from '../settings/index.ts';
import { candidateImage } from './candidate-image.ts';
import { type Dependant, dependantsOf } from './dependants.ts';
import { isEmptyArchive } from './empty-volume.ts';
import { type Environment, observeEnvironment } from './environment.ts';
import { type Change, injectedFiles, losses, wasInjected } from './losses.ts';
import { impossibleProbes } from './probe.ts';
import { finding, isRunning, type JournalMember, type MemberRole, nameOf, policyOf, type Wish } from './run.ts';
import { buildReplacement } from './spec.ts';
import { refusalsFor } from './spec-refusals.ts';
import { startFirstObstacles } from './spec-start-first.ts';
import type { ReplacementSpec } from './spec-types.ts';
import { gateOf, strategyOf } from './wishes.ts';

export interface ObserveParts {
  readonly hosts: Hosts;
  readonly containers: Containers;
  readonly registries: Registries;
  readonly settings: SettingsSource;
}

/** Everything that a plan is made of, as it is at this moment. */
export interface Situation {
  readonly container: ContainerInspect;
  readonly strategy: Strategy;
  readonly strategyReason: string | null;
  /** The updated one first, then its dependants in the order in which they start. */
  readonly members: readonly JournalMember[];
  readonly dependants: readonly Dependant[];
  readonly losses: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly refusals: readonly Finding[];
}

/**
 * Looks at the container, its image, the new image and everything that depends on it. Changes nothing.
 * Throws `not_found` when the container is gone, and what engine and registry throw.
 */
export async function observe(parts: ObserveParts, wish: Wish, signal?: AbortSignal): Promise<Situation> {
  const { hosts, containers, registries, settings } = parts;
  const engine = hosts.engine(wish.host);
  const container = await engine.containers.inspect(wish.name, signal);
  if (container === undefined)
    throw new Fault('not_found', `There is no container ${wish.name} on ${wish.host} any more.`);
  const [environment, oldImage, newImage] = await Promise.all([
    observeEnvironment(engine),
    engine.images.inspect(container.Image, signal),
    candidateImage(engine, registries, wish.target, signal),
  ]);
  const others = [...hosts.picture(wish.host).containers.values()];
  const group = dependantsOf(container, others);
  const refusals = [
    ...refusalsFor(container, oldImage, newImage, {
      self: containers.self,
      existing: environment.existing,
      networks: environment.networks,
    }),
    ...group.refusals,
  ];
  const changes = await engine.containers.changes(container.Id);
  const settingsGate = settings.current().gateSeconds;
  const main = await memberOf(engine, environment, container, {
    role: 'update',
    relation: null,
    image: wish.target.image,
    oldImage,
    newImage,
    gate: gateOf(container, wish.gate, settingsGate),
    changes,
    name: wish.name,
  });
  const members = [main.member];
  for (const dependant of group.members) {
    const own = await dependantMember(engine, environment, dependant, container, settingsGate);
    if (own === undefined) {
      refusals.push(
        finding(
          'dependant-image-missing',
          `${dependant.name} must go along, but its image is not on the engine any more.`,
          'Pull its image again, or create it anew.',
        ),
      );
    } else members.push(own);
  }
  for (const { inspect, gate, wasRunning } of members)
    if (wasRunning) refusals.push(...(await impossibleProbes(engine, containers.self, inspect, gate)));
  const { strategy, reason } = strategyFor(wish, container, group.members, main.member);
  return {
    container,
    strategy,
    strategyReason: reason,
    members,
    dependants: group.members,
    losses: [...losses(changes, container, { copied: main.member.injected }), ...(main.spec?.losses ?? [])],
    warnings: main.spec?.warnings ?? [],
    refusals,
  };
}

/** The wished strategy, or stop-first with the reason why the wished one is not possible. */
function strategyFor(
  wish: Wish,
  container: ContainerInspect,
  dependants: readonly Dependant[],
  main: JournalMember,
): { strategy: Strategy; reason: string | null } {
  const wished = strategyOf(container, wish.strategy);
  if (wished === 'recreate') return { strategy: 'recreate', reason: null };
  const obstacles = startFirstObstacles(container, { dependants: dependants.map(({ name }) => name) });
  if (!main.wasRunning) obstacles.push('It does not run, so there is nothing to keep running.');
  if (obstacles.length === 0) return { strategy: 'start-first', reason: null };
  return { strategy: 'recreate', reason: `Stop-first instead of start-first: ${obstacles.join(' ')}` };
}

interface MemberFacts {
  readonly role: MemberRole;
  readonly relation: string | null;
  readonly name: string;
  readonly image: string;
  readonly oldImage: ImageInspect | undefined;
  readonly newImage: ImageInspect | undefined;
  readonly gate: Gate;
  readonly changes: readonly Change[];
}

async function memberOf(
  engine: Engine,
  environment: Environment,
  container: ContainerInspect,
  facts: MemberFacts,
): Promise<{ member: JournalMember; spec: ReplacementSpec | undefined }> {
  const { oldImage, newImage, role } = facts;
  const [emptyVolumes, injected, named] = await Promise.all([
    role === 'restart' ? [] : findEmptyVolumes(engine, container),
    role === 'restart' ? [] : findInjected(engine, container, facts.changes),
    engine.images.inspect(facts.image),
  ]);
  const spec =
    oldImage?.Config == null || role === 'restart'
      ? undefined
      : buildReplacement({
          ...environment,
          container,
          oldImage,
          // The networks to connect, which are what the plan needs of it, do not depend on the new image.
          newImage: newImage?.Config == null ? oldImage : newImage,
          image: facts.image,
          replaced: {},
          emptyVolumes: new Set(emptyVolumes),
          nameAlias: false,
          finalName: facts.name,
        });
  const member: JournalMember = {
    name: facts.name,
    role,
    relation: facts.relation,
    inspect: container,
    oldImage: oldImage ?? missingImage(container),
    image: facts.image,
    wasRunning: isRunning(container),
    policy: policyOf(container),
    autoRemove: container.HostConfig.AutoRemove === true,
    emptyVolumes,
    injected,
    connects: spec?.connects.map(({ network }) => network) ?? [],
    gate: facts.gate,
    referenceBefore: named?.Id ?? null,
    progress: { newId: null, newImage: null, holderId: null, restoredId: null, spec: null },
  };
  return { member, spec };
}

/** Stands where the plan is refused anyway, because the old image is gone. */
function missingImage(container: ContainerInspect): ImageInspect {
  const { Image: Id } = container;
  return { Id, RepoTags: null, RepoDigests: null, Architecture: '', Os: '', Size: 0, Config: null };
}

async function dependantMember(
  engine: Engine,
  environment: Environment,
  dependant: Dependant,
  owner: ContainerInspect,
  gateSeconds: number,
): Promise<JournalMember | undefined> {
  // The picture may be a moment old; the plan must not be.
  const container = await engine.containers.inspect(dependant.container.Id);
  if (container === undefined) return undefined;
  const oldImage = await engine.images.inspect(container.Image);
  const role = dependant.action === 'recreate' ? 'recreate' : 'restart';
  if (role === 'recreate' && oldImage?.Config == null) return undefined;
  const { member } = await memberOf(
    engine,
    { ...environment, existing: new Set([...environment.existing, owner.Id]) },
    container,
    {
      role,
      relation: dependant.relation,
      name: nameOf(container),
      image: container.Config.Image ?? container.Image,
      oldImage,
      newImage: oldImage,
      gate: gateOf(container, null, gateSeconds),
      changes: role === 'recreate' ? await engine.containers.changes(container.Id) : [],
    },
  );
  return member;
}

/** Named volumes of the user that are empty now: the new image must not fill them behind the old one's back (section 4). */
async function findEmptyVolumes(engine: Engine, container: ContainerInspect): Promise<string[]> {
  const found: string[] = [];
  for (const { Type, Name, Destination } of container.Mounts) {
    if (Type !== 'volume' || Name === undefined) continue;
    const archive = await engine.containers.getArchive(container.Id, Destination);
    if (archive !== undefined && (await isEmptyArchive(archive))) found.push(Name);
  }
  return found;
}

async function findInjected(
  engine: Engine,
  container: ContainerInspect,
  changes: readonly Change[],
): Promise<string[]> {
  const found: string[] = [];
  for (const { path, sure } of injectedFiles(container, changes)) {
    const stat = sure ? undefined : await engine.containers.statPath(container.Id, path);
    if (sure || (stat !== undefined && wasInjected(container, stat.modified))) found.push(path);
  }
  return found;
}
