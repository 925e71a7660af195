import type { ContainerInspect, CreateBody, EndpointSettings, HostConfig } from '../platform/engine/engine-types.ts';
import { plainPolicy } from './run.ts';
import { namespaceOwner } from './spec-api.ts';
import { compareMounts } from './spec-compare-mounts.ts';
import { isNothing, sameMap, sameSet, sameValue } from './spec-equality.ts';
import { parseLink } from './spec-host.ts';
import { mergedConfig } from './spec-merge.ts';
import { ownAliases } from './spec-networks.ts';
import type { CompareContext, ReplacementSpec, SpecDifference } from './spec-types.ts';

/**
 * Every difference between what was planned and what the engine made of it; empty when the new container is as planned.
 * Allowed: what the engine generates (id, times, state, MAC and IP addresses, short id among the aliases, order of
 * mounts), what it fills in where nothing was sent, and what the new image sets. Works before and after the start.
 */
export function compareWithPlan(
  spec: ReplacementSpec,
  observed: ContainerInspect,
  context: CompareContext,
): SpecDifference[] {
  return [
    ...different('Image', context.newImage.Id, observed.Image),
    ...compareConfig(spec.create, observed, context),
    ...compareHost(spec.create.HostConfig, observed.HostConfig),
    ...compareMounts(spec.create.HostConfig, observed, context.newImage),
    ...compareNetworks(spec, observed),
  ];
}

function different(path: string, expected: unknown, observed: unknown, same = sameValue): SpecDifference[] {
  return same(expected, observed) ? [] : [{ path, expected, observed }];
}

/** Given by the engine, or meaningful at create only. The body of a create carries more than Config, too. */
const notCompared = new Set([
  'HostConfig',
  'NetworkingConfig',
  'Volumes',
  'AttachStdin',
  'AttachStdout',
  'AttachStderr',
  'OnBuild',
  'Shell',
  'ArgsEscaped',
]);

function compareConfig(create: CreateBody, observed: ContainerInspect, { newImage }: CompareContext): SpecDifference[] {
  const expected = mergedConfig(create, newImage.Config ?? {});
  const differences: SpecDifference[] = [];
  for (const [field, value] of Object.entries(expected)) {
    if (notCompared.has(field)) continue;
    differences.push(
      ...different(`Config.${field}`, value, observed.Config[field], configComparison[field] ?? sameValue),
    );
  }
  return differences;
}

const configComparison: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
  Env: sameWords,
  Labels: sameMap,
};

function sameWords(left: unknown, right: unknown): boolean {
  return sameSet((left ?? []) as string[], (right ?? []) as string[]);
}

/** Where nothing was asked for the daemon fills in its default, another one from version to version. */
const filledByDaemon = new Set([
  'LogConfig',
  'Runtime',
  'IpcMode',
  'CgroupnsMode',
  'ShmSize',
  'MemorySwap',
  'MemorySwappiness',
  'PidsLimit',
  'OomKillDisable',
  'Isolation',
  'MaskedPaths',
  'ReadonlyPaths',
  'RestartPolicy',
  'SecurityOpt',
]);

/** Compared with the mounts themselves, or not settings. */
const elsewhere = new Set(['Binds', 'Mounts', 'VolumesFrom', 'ConsoleSize', 'ContainerIDFile']);

function compareHost(sent: HostConfig, observed: HostConfig): SpecDifference[] {
  const differences: SpecDifference[] = [];
  for (const [field, value] of Object.entries(sent)) {
    if (elsewhere.has(field)) continue;
    if (isNothing(value) && filledByDaemon.has(field) && !isEmptyList(field, value)) continue;
    differences.push(...different(`HostConfig.${field}`, value, observed[field], comparison[field] ?? sameValue));
  }
  return differences;
}

/** An empty list of masked paths is a wish ("unconfined"), and so is null ("privileged"). */
function isEmptyList(field: string, value: unknown): boolean {
  return (field === 'MaskedPaths' || field === 'ReadonlyPaths') && value !== undefined;
}

type SentPolicy = HostConfig['RestartPolicy'];

const comparison: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
  NetworkMode: (left, right) => sameValue(left === 'default' ? 'bridge' : left, right === 'default' ? 'bridge' : right),
  RestartPolicy: (left, right) => sameValue(plainPolicy(left as SentPolicy), plainPolicy(right as SentPolicy)),
  SecurityOpt: sameWords,
  // The engine answers with the live names of both containers; only the alias is what was sent.
  Links: (left, right) => sameSet(linkAliases(left), linkAliases(right)),
};

function linkAliases(links: unknown): string[] {
  return ((links ?? []) as string[]).map((link) => parseLink(link).alias);
}

function compareNetworks(spec: ReplacementSpec, observed: ContainerInspect): SpecDifference[] {
  const mode = spec.create.HostConfig.NetworkMode;
  const live = observed.NetworkSettings.Networks;
  const expected: Record<string, EndpointSettings> = { ...spec.create.NetworkingConfig?.EndpointsConfig };
  for (const { network, endpoint } of spec.connects) expected[network] = endpoint;
  const modeNetwork = mode === 'host' || mode === 'none' ? [mode] : [];
  const names = spec.create.NetworkingConfig === undefined ? modeNetwork : Object.keys(expected);
  const path = 'NetworkSettings.Networks';
  // Some engines list no network at all for host and none before the start.
  const unlisted = spec.create.NetworkingConfig === undefined && Object.keys(live).length === 0;
  if (namespaceOwner(mode) === undefined && !unlisted && !sameSet(names, Object.keys(live))) {
    return [{ path, expected: names.sort(), observed: Object.keys(live).sort() }];
  }
  return Object.entries(expected).flatMap(([name, endpoint]) =>
    compareEndpoint(`${path}.${name}`, endpoint, live[name] ?? {}, observed),
  );
}

function compareEndpoint(
  path: string,
  expected: EndpointSettings,
  live: EndpointSettings,
  observed: ContainerInspect,
): SpecDifference[] {
  const differences = [
    ...different(`${path}.IPAMConfig`, expected.IPAMConfig, live.IPAMConfig),
    ...different(`${path}.Links`, expected.Links, live.Links, sameWords),
    ...different(`${path}.DriverOpts`, expected.DriverOpts, live.DriverOpts),
    ...different(`${path}.GwPriority`, expected.GwPriority, live.GwPriority),
    ...different(`${path}.Aliases`, expected.Aliases ?? [], ownAliases(live, observed), sameWords),
  ];
  // The address appears with the start.
  if (isNothing(expected.MacAddress) || isNothing(live.MacAddress)) return differences;
  return [...differences, ...different(`${path}.MacAddress`, expected.MacAddress, live.MacAddress)];
}
