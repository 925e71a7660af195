import { routes } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import { Fault } from '../platform/fault.ts';
import type { Router } from '../platform/http/router.ts';
import type { Updates } from './updates.ts';

export function registerUpdateRoutes(
  router: Router,
  { updates, containers }: { updates: Updates; containers: Containers },
): void {
  router.list(routes.listUpdates, {
    collection: updates.collection,
    matches: (update, { host, state, pending }) =>
      (host === undefined || update.host === host) &&
      (state === undefined || update.state === state) &&
      (pending === undefined || pending === update.candidates.some(({ blocked }) => blocked === null)),
    texts: ({ name, image }) => [name, image],
    sorts: {
      name: ({ name }) => name,
      state: ({ state }) => state,
      image: ({ image }) => image,
      host: ({ host }) => host,
      checkedAt: ({ checkedAt }) => checkedAt ?? '',
    },
  });
  router.handle(routes.getUpdate, ({ params }) => {
    const { container } = containers.find(params.host, params.container);
    const update = updates.collection.get(container.key);
    if (update === undefined)
      throw new Fault('not_found', `Nothing is known about updates of ${container.name} yet. Try again.`);
    return update;
  });
  router.handle(routes.checkUpdates, ({ body, actor }) => {
    const keys = body.containers?.map(({ host, container }) => containers.find(host, container).container.key);
    const { id } = updates.check({
      actor,
      ...(keys === undefined ? {} : { keys }),
      ...(body.tags === undefined ? {} : { tags: body.tags }),
    });
    return { operation: id };
  });
}
