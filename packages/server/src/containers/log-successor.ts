import type { HostPicture, Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';

/** How long after its end a container may be shown as running; also the shortest time between two streams. */
const pictureMilliseconds = 500;
/** Shown by the engine for a container that has never been started. */
const never = '0001-01-01T00:00:00Z';

/**
 * The same container once there may be more to read of it: it runs, or has run again since `ended`. One that starts and exits at once
 * is not missed. A host that is away is waited for. Undefined when the container is gone, or the signal came first.
 */
export async function nextStart(
  hosts: Hosts,
  clock: Clock,
  { host, ended, signal }: { host: string; ended: ContainerInspect; signal: AbortSignal },
): Promise<ContainerInspect | undefined> {
  // The picture may still show as running what has just ended.
  await clock.sleep(pictureMilliseconds, signal).catch(() => undefined);
  return untilPicture(hosts, host, signal, ({ containers }) => {
    const now = containers.get(ended.Id);
    if (now === undefined) return 'gone';
    return now.State.Running || now.State.StartedAt !== ended.State.StartedAt ? now : undefined;
  });
}

/** Another container than `after` that has the name and has run. Undefined when the signal came first. */
export function untilSuccessor(
  hosts: Hosts,
  { host, name, after, signal }: { host: string; name: string; after: string; signal: AbortSignal },
): Promise<ContainerInspect | undefined> {
  return untilPicture(hosts, host, signal, ({ containers }, changed) => {
    for (const id of changed) {
      const one = containers.get(id);
      if (one === undefined || id === after || one.Name !== `/${name}`) continue;
      if (one.State.Running || one.State.StartedAt !== never) return one;
    }
    return undefined;
  });
}

/** Looks at the picture now and after each change of it, while its host answers. */
function untilPicture(
  hosts: Hosts,
  host: string,
  signal: AbortSignal,
  look: (picture: HostPicture, changed: Iterable<string>) => ContainerInspect | 'gone' | undefined,
): Promise<ContainerInspect | undefined> {
  return new Promise((resolve) => {
    const finish = (found: ContainerInspect | undefined) => {
      stop();
      signal.removeEventListener('abort', giveUp);
      resolve(found);
    };
    const giveUp = () => finish(undefined);
    const again = (changed?: readonly string[]) => {
      const picture = hosts.picture(host);
      const found = picture.stale ? undefined : look(picture, changed ?? picture.containers.keys());
      if (found !== undefined) finish(found === 'gone' ? undefined : found);
    };
    const stop = hosts.onPicture((change) => {
      if (change.host === host) again(change.all ? undefined : change.containers);
    });
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    else again();
  });
}
