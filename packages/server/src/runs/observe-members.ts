import type { Finding, Gate } from '@evenkeel/contract';
import type { Engine } from '../platform/engine/engine.ts';
import type { ContainerInspect, ImageInspect } from '../platform/engine/engine-types.ts';
import type { Dependant } from './dependants.ts';
import { isEmptyArchive } from './empty-volume.ts';
import type { Environment } from './environment.ts';
import { findInjected, type Injected } from './injected.ts';
import type { Change } from './losses.ts';
import { isRunning, type JournalMember, type MemberRole, nameOf, policyOf } from './run.ts';
import { buildReplacement } from './spec.ts';
import type { ReplacementSpec } from './spec-types.ts';
import { gateOf } from './wishes.ts';

export interface MemberFacts {
  readonly role: MemberRole;
  readonly relation: string | null;
  readonly name: string;
  readonly image: string;
  readonly oldImage: ImageInspect | undefined;
  readonly newImage: ImageInspect | undefined;
  readonly gate: Gate;
  readonly changes: readonly Change[];
}

export interface Observed {
  readonly member: JournalMember;
  readonly spec: ReplacementSpec | undefined;
  readonly warnings: readonly Finding[];
}

/** A member as it is now, with the spec of its replacement where one is made. */
export async function memberOf(
  engine: Engine,
  environment: Environment,
  container: ContainerInspect,
  facts: MemberFacts,
): Promise<Observed> {
  const { oldImage, newImage, role } = facts;
  const stat = (path: string) => engine.containers.statPath(container.Id, path);
  const none: Injected = { paths: [], warnings: [] };
  const [emptyVolumes, injected, named] = await Promise.all([
    role === 'restart' ? [] : findEmptyVolumes(engine, container),
    role === 'restart' ? none : findInjected(container, facts.changes, stat),
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
    injected: injected.paths,
    connects: spec?.connects.map(({ network }) => network) ?? [],
    gate: facts.gate,
    referenceBefore: named?.Id ?? null,
    progress: { newId: null, newImage: null, holderId: null, restoredId: null, spec: null },
  };
  return { member, spec, warnings: [...(spec?.warnings ?? []), ...injected.warnings] };
}

/** Stands where the plan is refused anyway, because the old image is gone. */
function missingImage(container: ContainerInspect): ImageInspect {
  const { Image: Id } = container;
  return { Id, RepoTags: null, RepoDigests: null, Architecture: '', Os: '', Size: 0, Config: null };
}

/** Undefined when its image, which its replacement is made from, is not on the engine any more. */
export async function dependantMember(
  engine: Engine,
  environment: Environment,
  dependant: Dependant,
  owner: ContainerInspect,
  gateSeconds: number,
): Promise<(Observed & { changes: readonly Change[] }) | undefined> {
  // The picture may be a moment old; the plan must not be.
  const container = await engine.containers.inspect(dependant.container.Id);
  if (container === undefined) return undefined;
  const oldImage = await engine.images.inspect(container.Image);
  const role = dependant.action === 'recreate' ? 'recreate' : 'restart';
  if (role === 'recreate' && oldImage?.Config == null) return undefined;
  const changes = role === 'recreate' ? await engine.containers.changes(container.Id) : [];
  const observed = await memberOf(
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
      changes,
    },
  );
  return { ...observed, changes };
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
