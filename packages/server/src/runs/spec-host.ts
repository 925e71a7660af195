import type { Finding } from '@evenkeel/contract';
import type { HostConfig } from '../platform/engine/engine-types.ts';
import { namespaceOwner, plainName, speaks } from './spec-api.ts';
import { isInterfaceSysctl } from './spec-networks.ts';
import type { SpecInput } from './spec-types.ts';

/** Not settings: the size of the terminal that made the container, and a file on the client. */
const dropped = ['ConsoleSize', 'ContainerIDFile'];
/** What a container without a network of its own cannot have (400 at create). */
const ofOwnNetwork = ['Dns', 'ExtraHosts', 'PortBindings', 'PublishAllPorts', 'Links'];

/**
 * `HostConfig` of the replacement without mounts and NetworkMode: carried as it is, because what the daemon filled in
 * cannot be told from the user's choice, and values of `docker update` are in here.
 */
export function replacementHost(input: SpecInput): { host: HostConfig; losses: Finding[]; warnings: Finding[] } {
  const { container } = input;
  const host: Record<string, unknown> = { ...container.HostConfig };
  const shared = namespaceOwner(container.HostConfig.NetworkMode) !== undefined;
  const hostNetwork = container.HostConfig.NetworkMode === 'host';
  for (const field of dropped) delete host[field];
  for (const field of ['MaskedPaths', 'ReadonlyPaths'] as const) {
    if (isDaemonDefault(container.HostConfig[field], defaultPaths[field])) delete host[field];
  }
  for (const field of shared ? ofOwnNetwork : []) delete host[field];
  if (hostNetwork) delete host['Links'];
  for (const field of ['PidMode', 'IpcMode'] as const) {
    const owner = namespaceOwner(container.HostConfig[field]);
    if (owner !== undefined) host[field] = `container:${input.replaced[owner]?.id ?? owner}`;
  }
  const links = shared || hostNetwork ? { links: [], warnings: [] } : replacementLinks(input);
  if (links.links.length > 0 || links.warnings.length > 0) host['Links'] = links.links;
  const security = host['SecurityOpt'];
  // Some engines add "label=disable" once more at every create.
  if (Array.isArray(security)) host['SecurityOpt'] = [...new Set(security)];
  if (speaks(input.apiVersion, '1.48') && host['Sysctls']) {
    const sysctls = Object.entries(host['Sysctls'] as Record<string, string>);
    host['Sysctls'] = Object.fromEntries(sysctls.filter(([key]) => !isInterfaceSysctl(key)));
  }
  return { host, losses: shared || hostNetwork ? [] : ephemeralPorts(input), warnings: links.warnings };
}

/**
 * Links of the default bridge. The engine answers `/target:/me/alias`, computed from the live objects, and binds a new link
 * to the object that has the name at create: a target that is being replaced is named by its new id.
 */
function replacementLinks({ container, replaced, existing }: SpecInput): { links: string[]; warnings: Finding[] } {
  const links: string[] = [];
  const warnings: Finding[] = [];
  const leftBridge = container.NetworkSettings.Networks['bridge'] === undefined;
  for (const entry of container.HostConfig.Links ?? []) {
    const { target, alias } = parseLink(entry);
    const moved = replaced[target] ?? Object.values(replaced).find((candidate) => isOrBecomes(candidate.name, target));
    if (!leftBridge && (moved !== undefined || existing.has(target))) links.push(`${moved?.id ?? target}:${alias}`);
    else warnings.push(linkWarning(target, alias));
  }
  return { links, warnings };
}

/** `/target:/me/alias` or `target:alias`. */
export function parseLink(entry: string): { target: string; alias: string } {
  const [target = '', path = target] = entry.split(':');
  return { target: plainName(target), alias: path.slice(path.lastIndexOf('/') + 1) };
}

/** A replacement carries `<name>.next.<operation>` until the swap. */
function isOrBecomes(name: string, target: string): boolean {
  return name === target || name.startsWith(`${target}.next.`);
}

function linkWarning(target: string, alias: string): Finding {
  return {
    code: 'link-gone',
    text: `The link to ${target} (as ${alias}) cannot be kept: it no longer leads to a container on the default bridge.`,
    remedy: 'Put both containers on a network of their own, where names resolve without links.',
  };
}

/** Default lists of all engines so far. A list made of them is the daemon's: carried, it would pin an old default. */
const defaultPaths = {
  MaskedPaths: {
    always: ['/proc/kcore', '/proc/latency_stats', '/proc/timer_stats', '/proc/sched_debug', '/sys/firmware'],
    others:
      /^(\/proc\/(asound|acpi|interrupts|keys|timer_list|scsi)|\/sys\/devices\/virtual\/powercap|\/sys\/devices\/system\/cpu\/cpu\d+\/thermal_throttle)$/,
  },
  ReadonlyPaths: {
    always: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    others: /^\/proc\/asound$/,
  },
} as const;

function isDaemonDefault(
  paths: readonly string[] | null | undefined,
  known: { readonly always: readonly string[]; readonly others: RegExp },
): boolean {
  if (paths === null || paths === undefined) return false;
  return (
    known.always.every((path) => paths.includes(path)) &&
    paths.every((path) => known.always.includes(path) || known.others.test(path))
  );
}

/** Ports whose number the engine picks anew: without a host port, of a range, and those of PublishAllPorts. */
function ephemeralPorts({ container }: SpecInput): Finding[] {
  const bindings = container.HostConfig.PortBindings ?? {};
  const current = container.NetworkSettings.Ports ?? {};
  const asked = Object.entries(bindings).filter(([, list]) => (list ?? []).some((one) => !isFixed(one.HostPort)));
  const published = container.HostConfig.PublishAllPorts === true ? Object.keys(current) : [];
  const ports = new Set([...asked.map(([port]) => port), ...published.filter((port) => bindings[port] === undefined)]);
  return [...ports].sort().map((port) => {
    const numbers = [...new Set((current[port] ?? []).map((one) => one.HostPort))].join(', ');
    return {
      code: 'ephemeral-port',
      text: `Port ${port} is published on a port that the engine picks${numbers === '' ? '' : ` (now ${numbers})`}: the number will change.`,
      remedy: 'Publish it on a fixed host port if somebody relies on the number.',
    };
  });
}

function isFixed(hostPort: string | undefined): boolean {
  return /^\d+$/.test(hostPort ?? '') && hostPort !== '0';
}
