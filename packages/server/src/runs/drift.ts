import type { ContainerInspect, HostConfig } from '../platform/engine/engine-types.ts';
import { Drift, isRunning, type JournalMember, nameOf } from './run.ts';

/**
 * Throws `Drift` when the old container is no longer what the run was planned for: somebody renamed, changed, stopped or started it
 * since. What was planned would then undo what that person did.
 *
 * `disturbed`: the engine was away meanwhile, so that a container that stopped was not stopped by a person. `left`: networks that the
 * run itself takes it off.
 */
export function checkUntouched(
  member: JournalMember,
  now: ContainerInspect,
  { disturbed, left }: { readonly disturbed: boolean; readonly left: readonly string[] },
): void {
  const { name, inspect: before } = member;
  if (now.Id !== before.Id) throw new Drift(`${name} was replaced by somebody else.`);
  if (nameOf(now) !== name) throw new Drift(`${name} was renamed to ${nameOf(now)} by somebody else.`);
  if (now.State.Paused) throw new Drift(`${name} was paused by somebody else.`);
  if (member.wasRunning && !isRunning(now) && disturbed)
    throw new Drift(`${name} ended when its engine was interrupted, before its replacement was ready.`);
  if (isRunning(now) !== member.wasRunning) {
    const what = member.wasRunning ? 'stopped' : 'started';
    throw new Drift(`${name} was ${what} by somebody else while its replacement was being prepared.`, {
      ...(member.wasRunning ? { leaveStopped: name } : {}),
    });
  }
  const changed = changedFields(before, now, left);
  if (changed.length > 0)
    throw new Drift(
      `${name} was changed by somebody else while its replacement was being prepared (${changed.join(', ')}).`,
    );
}

/** What `docker update` and `docker network connect` can change. The policy is compared elsewhere: we change it ourselves. */
function changedFields(before: ContainerInspect, now: ContainerInspect, left: readonly string[]): string[] {
  const fields = new Set([...Object.keys(before.HostConfig), ...Object.keys(now.HostConfig)]);
  fields.delete('RestartPolicy');
  const changed = [...fields].filter((field) => !same(field, before.HostConfig, now.HostConfig));
  const networks = (container: ContainerInspect) =>
    Object.keys(container.NetworkSettings.Networks)
      .filter((name) => !left.includes(name))
      .sort()
      .join(', ');
  if (networks(before) !== networks(now)) changed.push('networks');
  return changed;
}

/** The engine makes `Links` of a Go map, in another order each time it is asked: the order of a list says nothing. */
function same(field: string, before: HostConfig, now: HostConfig): boolean {
  return inOrder(before[field]) === inOrder(now[field]);
}

function inOrder(value: unknown): string {
  return JSON.stringify(Array.isArray(value) ? value.map((item) => JSON.stringify(item)).sort() : (value ?? null));
}
