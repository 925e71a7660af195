import type { Container } from '@evenkeel/contract';
import type { HostPicture, Hosts, PictureChange } from '../hosts/index.ts';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { Fault } from '../platform/fault.ts';
import { type MapContext, nameOf, toContainer } from './container-map.ts';
import type { Containers } from './containers.ts';
import { ownContainerId } from './self.ts';

/** Follows the pictures of all hosts. */
export function createContainers({
  hosts,
  self = ownContainerId(),
}: {
  hosts: Hosts;
  self?: string | undefined;
}): Containers {
  const collection = new LiveCollection<Container>({ topic: 'containers', keyOf: ({ key }) => key });

  function follow({ host, all, containers }: PictureChange): void {
    const picture = hosts.picture(host);
    const ids = all ? [...picture.containers.keys()] : containers;
    const puts: Container[] = [];
    const removals: string[] = all ? gone(host, picture.containers) : [];
    for (const id of ids) {
      const inspect = picture.containers.get(id);
      if (inspect === undefined) removals.push(`${host}/${id}`);
      else puts.push(toContainer(inspect, contextOf(picture, id)));
    }
    collection.publish(puts, removals);
  }

  function gone(host: string, present: ReadonlyMap<string, ContainerInspect>): string[] {
    return [...collection.values()]
      .filter((container) => container.host === host && !present.has(container.id))
      .map(({ key }) => key);
  }

  function contextOf({ host, stale, doubtful }: HostPicture, id: string): MapContext {
    return { host, stale: stale || doubtful.has(id), self };
  }

  hosts.onPicture(follow);
  for (const host of hosts.ids()) follow({ host, all: true, containers: [] });

  return {
    collection,
    self,
    find: (host, idOrName) => {
      const picture = hosts.picture(host);
      const inspect = findIn(picture.containers, idOrName);
      if (inspect === undefined) {
        throw new Fault(
          'not_found',
          `There is no container "${idOrName}" on the host "${host}". It may have been removed or renamed.`,
        );
      }
      return { container: toContainer(inspect, contextOf(picture, inspect.Id)), inspect };
    },
  };
}

const shortestBeginning = 12;

function findIn(containers: ReadonlyMap<string, ContainerInspect>, idOrName: string): ContainerInspect | undefined {
  const exact = containers.get(idOrName);
  if (exact !== undefined) return exact;
  const named = [...containers.values()].find((container) => nameOf(container) === idOrName);
  if (named !== undefined) return named;
  if (idOrName.length < shortestBeginning || !/^[0-9a-f]+$/.test(idOrName)) return undefined;
  const beginning = [...containers.keys()].filter((id) => id.startsWith(idOrName));
  return beginning.length === 1 ? containers.get(beginning[0] ?? '') : undefined;
}
