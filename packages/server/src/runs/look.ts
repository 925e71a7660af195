import { type Engine, EngineError } from '../platform/engine/engine.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import type { Seen, SeenMember } from './recover.ts';
import { isRunning, type JournalMember, nameOf, policyOf, type Which, workNames } from './run.ts';

/**
 * The container of this name. The engine also takes the beginning of an id for a name, so that `db` may bring a container that is called
 * otherwise: that one is not it.
 */
export async function inspectNamed(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
): Promise<ContainerInspect | undefined> {
  try {
    const found = await engine.containers.inspect(name, signal);
    return found !== undefined && nameOf(found) === name ? found : undefined;
  } catch (error) {
    if (error instanceof EngineError && /multiple IDs|ambiguous/i.test(error.message)) return undefined;
    throw error;
  }
}

/**
 * A member's container as it is now. By its id, and where the id is not known (the process ended between the create and its record)
 * by the name that only this run gives.
 */
export async function locate(
  engine: Engine,
  run: string,
  member: JournalMember,
  which: Which,
): Promise<ContainerInspect | undefined> {
  const names = workNames(member.name, run);
  const { newId, holderId, restoredId } = member.progress;
  const { ids, name } = {
    old: { ids: [member.inspect.Id, restoredId], name: names.prev },
    new: { ids: [newId], name: names.next },
    holder: { ids: [holderId], name: names.hold },
  }[which];
  for (const id of ids) {
    const found = id === null ? undefined : await engine.containers.inspect(id);
    if (found !== undefined) return found;
  }
  return inspectNamed(engine, name);
}

/** What recovery has to know of each member. */
export async function lookAt(engine: Engine, run: string, members: readonly JournalMember[]): Promise<SeenMember[]> {
  const found: SeenMember[] = [];
  for (const member of members) {
    const restarted = member.role === 'restart';
    const [old, replacement, holder, nameOwner, image, helper] = await Promise.all([
      locate(engine, run, member, 'old'),
      restarted ? undefined : locate(engine, run, member, 'new'),
      member.autoRemove ? locate(engine, run, member, 'holder') : undefined,
      inspectNamed(engine, member.name),
      engine.images.inspect(member.image),
      member.self === true ? inspectNamed(engine, workNames(member.name, run).hand) : undefined,
    ]);
    found.push({
      old: old && seen(old),
      new: replacement && seen(replacement),
      holder: holder && seen(holder),
      nameOwner: nameOwner && seen(nameOwner),
      reference: image?.Id,
      helper: helper && seen(helper),
    });
  }
  return found;
}

function seen(container: ContainerInspect): Seen {
  return {
    id: container.Id,
    name: nameOf(container),
    running: isRunning(container),
    policy: policyOf(container).Name,
    networks: Object.keys(container.NetworkSettings.Networks),
  };
}
