import type { Finding } from '@evenkeel/contract';
import type { ContainerInspect, EndpointSettings } from '../platform/engine/engine-types.ts';
import { namespaceOwner, shortId, speaks } from './spec-api.ts';
import { wishedMac } from './spec-config.ts';
import { isNothing } from './spec-equality.ts';
import type { ReplacementSpec, SpecInput } from './spec-types.ts';

export interface NetworkPlan {
  readonly networkMode: string | undefined;
  /** What goes into the create body; undefined where the mode allows no endpoint. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>> | undefined;
  readonly connects: ReplacementSpec['connects'];
  readonly warnings: readonly Finding[];
}

/** The name of the engine's default network behind NetworkMode `default`. */
const defaultNetwork = 'bridge';
const sysctlOption = 'com.docker.network.endpoint.sysctls';

/**
 * The endpoints of the replacement. The networks that the container is attached to now count, not NetworkMode alone: what
 * was connected later stays, what was left does not come back.
 */
export function replacementNetworks(input: SpecInput): NetworkPlan {
  const { container, apiVersion } = input;
  const mode = container.HostConfig.NetworkMode;
  const owner = namespaceOwner(mode);
  if (owner !== undefined) {
    return { networkMode: `container:${input.replaced[owner]?.id ?? owner}`, ...nothing };
  }
  const live = container.NetworkSettings.Networks;
  const names = Object.keys(live).sort();
  if (mode === 'host' || mode === 'none') return { networkMode: mode, ...nothing };
  if (names.length === 0) return detached(mode);
  const primary = primaryOf(mode, names, input);
  const warnings: Finding[] = [];
  const endpoint = (name: string) => endpointOf(name, live[name] ?? {}, { input, primary: name === primary, warnings });
  const others = names.filter((name) => name !== primary);
  const networkMode = namesNetwork(mode, primary, input) ? mode : primary;
  if (speaks(apiVersion, '1.44')) {
    const all = [primary, ...others].map((name) => [name, endpoint(name)] as const);
    return { networkMode, endpoints: Object.fromEntries(all), connects: [], warnings };
  }
  return {
    networkMode,
    endpoints: { [primary]: endpoint(primary) },
    connects: others.map((network) => ({ network, endpoint: endpoint(network) })),
    warnings,
  };
}

const nothing = { endpoints: undefined, connects: [], warnings: [] } as const;

/** Without any network, NetworkMode would attach the one that was left. */
function detached(mode: string | undefined): NetworkPlan {
  const warning: Finding = {
    code: 'detached',
    text: `The container was disconnected from ${mode ?? 'its network'} and from every other one; the new one gets the mode "none".`,
    remedy: 'Disconnect it from "none" before you connect it to a network again.',
  };
  return { networkMode: 'none', endpoints: undefined, connects: [], warnings: [warning] };
}

/** The network of NetworkMode where the container is still attached to it, else the first by name. */
function primaryOf(mode: string | undefined, names: readonly string[], input: SpecInput): string {
  return names.find((name) => namesNetwork(mode, name, input)) ?? names[0] ?? defaultNetwork;
}

/** NetworkMode may hold `default`, a name, or an id or its beginning. */
function namesNetwork(mode: string | undefined, name: string, input: SpecInput): boolean {
  if (mode === undefined || mode === '' || mode === 'default') return name === defaultNetwork;
  const id = input.networks[name]?.id ?? input.container.NetworkSettings.Networks[name]?.NetworkID ?? '';
  return mode === name || (mode.length >= 12 && id.startsWith(mode));
}

interface EndpointContext {
  readonly input: SpecInput;
  readonly primary: boolean;
  readonly warnings: Finding[];
}

/** Only what can be asked for. A stale NetworkID lets the start fail, and aliases on the default bridge do so too. */
function endpointOf(name: string, live: EndpointSettings, { input, primary, warnings }: EndpointContext) {
  const isDefault = name === defaultNetwork;
  const address = live.IPAMConfig ?? {};
  const addressable = !isDefault && input.networks[name]?.hasSubnet !== false;
  if (!isNothing(address) && !addressable) warnings.push(addressWarning(name));
  const driverOpts = { ...live.DriverOpts, ...(primary ? interfaceSysctls(input) : {}) };
  const mac = primary && speaks(input.apiVersion, '1.44') ? wishedMac(input.container) : undefined;
  const wanted: EndpointSettings = {
    ...(addressable ? { IPAMConfig: address } : {}),
    ...(isDefault ? {} : { Aliases: aliases(live, input), Links: live.Links ?? [] }),
    DriverOpts: driverOpts,
    ...(live.GwPriority === undefined ? {} : { GwPriority: live.GwPriority }),
    ...(mac === undefined ? {} : { MacAddress: mac }),
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => !isNothing(value))) as EndpointSettings;
}

function aliases(live: EndpointSettings, input: SpecInput): string[] {
  const own = ownAliases(live, input.container);
  return [...new Set(input.nameAlias ? [...own, input.finalName] : own)];
}

/** The networks on which the engine answers for the container's names: all but the default ones. */
export function namedNetworks({ NetworkSettings }: Pick<ContainerInspect, 'NetworkSettings'>): string[] {
  const nameless = [defaultNetwork, 'host', 'none'];
  return Object.keys(NetworkSettings.Networks)
    .filter((name) => !nameless.includes(name))
    .sort();
}

/** What a container that left the network is connected to it with, to be as it was. */
export function sameEndpoint(network: string, container: ContainerInspect): EndpointSettings {
  const live = container.NetworkSettings.Networks[network] ?? {};
  const { IPAMConfig, Links, DriverOpts, GwPriority } = live;
  const wanted = { IPAMConfig, Links, DriverOpts, GwPriority, Aliases: ownAliases(live, container) };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => !isNothing(value))) as EndpointSettings;
}

/**
 * The aliases that were asked for. Engines before 25 store the short id behind them; later ones add the short id and the
 * host name to the answer for API versions below 1.45, in that order. A host name before the short id is the user's.
 */
export function ownAliases(live: EndpointSettings, container: Pick<ContainerInspect, 'Id' | 'Config'>): string[] {
  const all = live.Aliases ?? [];
  const short = shortId(container.Id);
  const at = all.indexOf(short);
  const added = at < 0 ? -1 : all.indexOf(container.Config.Hostname ?? '', at + 1);
  return all.filter((alias, index) => alias !== short && index !== added);
}

/** From API 1.48 on, settings of an interface are refused among the container's sysctls: `eth0` is the primary one. */
function interfaceSysctls({ container, apiVersion }: SpecInput): Record<string, string> {
  if (!speaks(apiVersion, '1.48')) return {};
  const moved = Object.entries((container.HostConfig['Sysctls'] ?? {}) as Record<string, string>).filter(([key]) =>
    isInterfaceSysctl(key),
  );
  if (moved.length === 0) return {};
  return { [sysctlOption]: moved.map(([key, value]) => `${key.replace('.eth0.', '.IFNAME.')}=${value}`).join(',') };
}

/** `net.ipv4.conf.eth0.forwarding`. */
export function isInterfaceSysctl(key: string): boolean {
  return /^net\.[^.]+\.[^.]+\.eth0\./.test(key);
}

function addressWarning(network: string): Finding {
  return {
    code: 'address-not-possible',
    text: `The static address on the network ${network} cannot be kept: the network has no configured subnet.`,
    remedy: `Re-create the network ${network} with --subnet to use static addresses on it.`,
  };
}
