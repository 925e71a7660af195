import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { namespaceOwner } from './spec-api.ts';
import { wishedMac } from './spec-config.ts';
import { cleanPath } from './spec-mounts.ts';

/** Names the writable mounts that two copies may use at once: `/cache,/data`, or `*` for all. */
export const safeMountsLabel = 'evenkeel.start-first.safe-mounts';

export interface StartFirstContext {
  /** Names of the containers that share a namespace with it or link to it. */
  readonly dependants: readonly string[];
}

/**
 * Why the old and the new container cannot run at the same time, as sentences; empty when they can. The run falls back to
 * `recreate` and says so (section 6.2).
 */
export function startFirstObstacles(container: ContainerInspect, context: StartFirstContext): string[] {
  const { HostConfig: host, NetworkSettings: network } = container;
  const obstacles: string[] = [];
  if (host.NetworkMode === 'host')
    obstacles.push('It uses the network of the host, where both would want the same ports.');
  if (namespaceOwner(host.NetworkMode) !== undefined) {
    obstacles.push('It shares the network of another container, where both would want the same ports.');
  }
  for (const port of fixedPorts(container)) obstacles.push(`Host port ${port} can only be bound by one of them.`);
  for (const [name, endpoint] of Object.entries(network.Networks)) {
    const address = endpoint.IPAMConfig?.IPv4Address || endpoint.IPAMConfig?.IPv6Address;
    if (address) obstacles.push(`The static address ${address} on ${name} can only be held by one of them.`);
  }
  const mac = wishedMac(container);
  if (mac !== undefined) obstacles.push(`The MAC address ${mac} can only be held by one of them.`);
  for (const mount of sharedMounts(container)) {
    obstacles.push(`Both would write to ${mount}; the label ${safeMountsLabel} says where that is safe.`);
  }
  if ((host.Devices ?? []).length > 0 || (host.DeviceRequests ?? []).length > 0) {
    obstacles.push('It has a device of its own, which both would use.');
  }
  if (context.dependants.length > 0)
    obstacles.push(`${context.dependants.join(', ')} would keep hanging on the old one.`);
  return obstacles;
}

function fixedPorts({ HostConfig }: ContainerInspect): string[] {
  if (HostConfig.NetworkMode === 'host') return [];
  const ports = Object.values(HostConfig.PortBindings ?? {}).flatMap((list) => (list ?? []).map((one) => one.HostPort));
  return ports.filter((port): port is string => port !== undefined && port !== '' && port !== '0');
}

/** Writable volumes and binds: the replacement has the same ones while the old container still runs. */
function sharedMounts({ Mounts, Config }: ContainerInspect): string[] {
  const safe = (Config.Labels?.[safeMountsLabel] ?? '').split(',').map((path) => path.trim());
  if (safe.includes('*')) return [];
  const safePaths = new Set(safe.filter((path) => path !== '').map(cleanPath));
  return Mounts.filter(({ Type, RW }) => RW && (Type === 'volume' || Type === 'bind'))
    .map(({ Destination }) => cleanPath(Destination))
    .filter((path) => !safePaths.has(path))
    .sort();
}
