import { routes } from '@evenkeel/contract';
import type { Router } from '../platform/http/router.ts';
import type { StoredRegistries } from './registries.ts';

export function registerRegistryRoutes(router: Router, registries: StoredRegistries): void {
  router.list(routes.listRegistries, {
    // Read at each request: the health of a registry changes without anybody changing the entry.
    get collection() {
      return registries.current();
    },
    matches: () => true,
    texts: ({ host, username }) => [host, username ?? ''],
    sorts: { host: ({ host }) => host, createdAt: ({ createdAt }) => createdAt },
  });
  router.handle(routes.addRegistry, ({ body }) => registries.add(body));
  router.handle(routes.changeRegistry, ({ params, body }) => registries.change(params.id, body));
  router.handle(routes.removeRegistry, ({ params }) => {
    registries.remove(params.id);
    return undefined;
  });
  router.handle(routes.testRegistry, ({ params, request }) => registries.test(params.id, request.signal));
}
