import { containerRoutes } from './container-routes.ts';
import { operationRoutes } from './operation-routes.ts';
import { registryRoutes } from './registry-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { systemRoutes } from './system-routes.ts';
import { updateRoutes } from './update-routes.ts';

/** The native API, version 1. */
export const routes = {
  ...systemRoutes,
  ...sessionRoutes,
  ...containerRoutes,
  ...updateRoutes,
  ...operationRoutes,
  ...registryRoutes,
} as const;
export type RouteId = keyof typeof routes;
