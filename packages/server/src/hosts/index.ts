export { createHosts, type HostsParts } from './create-hosts.ts';
export type { HostPicture, Hosts, PictureChange } from './hosts.ts';
export { registerHostRoutes } from './hosts-routes.ts';
export type { ConfiguredHost } from './watch-parts.ts';
