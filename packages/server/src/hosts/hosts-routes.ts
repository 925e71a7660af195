import { routes } from '@evenkeel/contract';
import { Fault } from '../platform/fault.ts';
import type { Router } from '../platform/http/router.ts';
import type { Hosts } from './hosts.ts';

export function registerHostRoutes(router: Router, hosts: Hosts): void {
  router.list(routes.listHosts, {
    collection: hosts.collection,
    matches: () => true,
    texts: ({ id, name, endpoint }) => [id, name, endpoint],
    sorts: { name: ({ name }) => name, state: ({ state }) => state, containers: ({ containers }) => containers },
  });
  router.handle(routes.getHost, ({ params }) => {
    const host = hosts.collection.get(params.host);
    if (host === undefined)
      throw new Fault('not_found', `There is no host "${params.host}". GET /api/v1/hosts lists them.`);
    return host;
  });
}
