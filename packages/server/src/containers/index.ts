export type { Containers } from './containers.ts';
export { registerContainerRoutes } from './containers-routes.ts';
export { createContainers } from './create-containers.ts';
export { createLogFollower } from './follow-logs.ts';
export { ownContainerId } from './self.ts';
