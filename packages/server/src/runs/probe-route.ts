import type { Engine } from '../platform/engine/engine.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { namespaceOwner } from './spec-api.ts';

/**
 * Where we stand, seen from the engine: on its machine, in a container of its own on these networks (with the address at which each
 * has the machine), or on another machine (`host` is the engine's, where that is known).
 */
export type Standpoint =
  | { readonly at: 'machine' }
  | { readonly at: 'container'; readonly gateways: Readonly<Record<string, string>> }
  | { readonly at: 'elsewhere'; readonly host: string | undefined };

/** An address at which a port of a container can be asked. */
export interface ProbeRoute {
  readonly host: string;
  readonly port: number;
  /** A refused connection there means that nobody in the container listens. Otherwise it may listen where we do not get to. */
  readonly sure: boolean;
}

/** `self`: id of the container in which we run. Found on the engine, it is the engine of our own machine, whatever its endpoint says. */
export async function standpointOf(engine: Engine, self: string | undefined): Promise<Standpoint> {
  const own = self === undefined ? undefined : await networkHolder(engine, self);
  if (own?.HostConfig.NetworkMode === 'host') return { at: 'machine' };
  if (own !== undefined) {
    const networks = Object.entries(own.NetworkSettings.Networks);
    return {
      at: 'container',
      gateways: Object.fromEntries(networks.map(([name, { Gateway }]) => [name, Gateway ?? ''])),
    };
  }
  const host = engine.endpoint.startsWith('unix:') ? undefined : new URL(engine.endpoint).hostname;
  if (host === undefined || isLoopback(host))
    return self === undefined ? { at: 'machine' } : { at: 'elsewhere', host: undefined };
  return { at: 'elsewhere', host };
}

/** The container whose network a container has: its own, or that of the one that it shares. */
export async function networkHolder(engine: Engine, idOrName: string): Promise<ContainerInspect | undefined> {
  const container = await engine.containers.inspect(idOrName);
  const owner = namespaceOwner(container?.HostConfig.NetworkMode);
  return owner === undefined ? container : networkHolder(engine, owner);
}

/**
 * Where a port of the container can be asked; empty when we do not get to it. Its own addresses only where they are ours to reach:
 * the same address on another machine's network is somebody else. The published port comes last: the engine's proxy accepts
 * connections even when nobody listens behind it. Pure.
 */
export function probeRoutes(container: ContainerInspect, port: number, standpoint: Standpoint): ProbeRoute[] {
  const machines = machineAddresses(standpoint);
  if (container.HostConfig.NetworkMode === 'host')
    return machines.map((host) => ({ host, port, sure: standpoint.at === 'machine' }));
  const own = Object.entries(container.NetworkSettings.Networks)
    .filter(
      ([network]) => standpoint.at === 'machine' || (standpoint.at === 'container' && network in standpoint.gateways),
    )
    .flatMap(([, { IPAddress = '', GlobalIPv6Address = '' }]) => [IPAddress, GlobalIPv6Address])
    .filter((host) => host !== '')
    .map((host) => ({ host, port, sure: true }));
  const published = (container.NetworkSettings.Ports?.[`${port}/tcp`] ?? []).flatMap(({ HostIp = '', HostPort }) => {
    const hosts = ['', '0.0.0.0', '::'].includes(HostIp) ? machines : [HostIp];
    return hosts
      .filter((host) => standpoint.at === 'machine' || !isLoopback(host))
      .map((host) => ({ host, port: Number(HostPort), sure: true }));
  });
  return [...own, ...published];
}

/**
 * Whether there will be a route once the container runs: by what it was created with, because one that is just being restarted has no
 * addresses and no published ports. Pure.
 */
export function couldBeProbed(container: ContainerInspect, port: number, standpoint: Standpoint): boolean {
  const { HostConfig: host, NetworkSettings: network } = container;
  const Networks = Object.fromEntries(
    Object.keys(network.Networks)
      .filter((name) => name !== 'none')
      .map((name) => [name, { IPAddress: 'later' }]),
  );
  const key = `${port}/tcp`;
  const published = host.PortBindings?.[key] ?? (host.PublishAllPorts === true ? [{}] : []);
  const later = { ...container, NetworkSettings: { ...network, Networks, Ports: { [key]: published } } };
  return probeRoutes(later, port, standpoint).length > 0;
}

function machineAddresses(standpoint: Standpoint): string[] {
  if (standpoint.at === 'machine') return ['127.0.0.1'];
  if (standpoint.at === 'elsewhere') return standpoint.host === undefined ? [] : [standpoint.host];
  return [...new Set(Object.values(standpoint.gateways))].filter((gateway) => gateway !== '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || host.startsWith('127.');
}
