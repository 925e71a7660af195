import type { Finding } from '@evenkeel/contract';
import type { ContainerConfig, ContainerInspect, Healthcheck, ImageInspect } from '../platform/engine/engine-types.ts';
import { replacementLabels } from './compose-labels.ts';
import { namespaceOwner, shortId, speaks } from './spec-api.ts';
import { isNothing, sameList, sameValue } from './spec-equality.ts';
import type { SpecInput } from './spec-types.ts';

type Config = Record<string, unknown>;

/** Fields with a rule of their own below, and those that only an image or a client connection has. */
const treated = new Set([
  'Image',
  'Hostname',
  'Env',
  'Labels',
  'Entrypoint',
  'Cmd',
  'Healthcheck',
  'ExposedPorts',
  'Volumes',
  'MacAddress',
  'AttachStdin',
  'AttachStdout',
  'AttachStderr',
  'OnBuild',
  'Shell',
  'ArgsEscaped',
]);

/**
 * `Config` of the replacement: what differs from the old image's defaults, so that the new image's defaults apply
 * everywhere else. A field that we do not know is treated like User: sent where the image did not set it.
 */
export function replacementConfig(
  input: SpecInput,
  options: { composeLabels: boolean },
): { config: ContainerConfig; warnings: Finding[] } {
  const { container, newImage } = input;
  const old = container.Config;
  const image = input.oldImage.Config ?? {};
  const config: Config = { Image: input.image };
  for (const [field, value] of Object.entries(old)) {
    if (!treated.has(field) && !isNothing(value) && !sameValue(value, image[field])) config[field] = value;
  }
  const healthcheck = changedHealthcheck(old.Healthcheck, image.Healthcheck);
  const labels = changedPairs(old.Labels, image.Labels);
  const ownLabels = options.composeLabels ? replacementLabels(labels, newImage.Id, input.finalName) : labels;
  assign(config, 'Hostname', ownHostname(input));
  assign(config, 'MacAddress', configMac(input));
  assign(config, 'Env', without(old.Env, image.Env));
  if (Object.keys(ownLabels).length > 0) config['Labels'] = ownLabels;
  assign(config, 'ExposedPorts', exposedPorts(input));
  assign(config, 'Healthcheck', healthcheck);
  return { config: { ...config, ...command(old, image) }, warnings: healthcheckWarnings(healthcheck, newImage) };
}

function assign(config: Config, field: string, value: unknown): void {
  if (!isNothing(value)) config[field] = value;
}

/** Entries that the image does not have literally, in order. An entry without `=` removes the image's variable: kept. */
function without(own: readonly string[] | null | undefined, image: readonly string[] | null | undefined): string[] {
  const inherited = new Set(image ?? []);
  return (own ?? []).filter((entry) => !inherited.has(entry));
}

function changedPairs(
  own: Readonly<Record<string, string>> | null | undefined,
  image: Readonly<Record<string, string>> | null | undefined,
): Record<string, string> {
  return Object.fromEntries(Object.entries(own ?? {}).filter(([key, value]) => image?.[key] !== value));
}

/** The host name that was asked for. The engine answers its own invention where none was, and refuses it elsewhere. */
function ownHostname({ container, daemonName }: SpecInput): string | undefined {
  const { Hostname } = container.Config;
  const { NetworkMode, UTSMode } = container.HostConfig;
  if (Hostname === shortId(container.Id)) return undefined;
  if (namespaceOwner(NetworkMode) !== undefined || UTSMode === 'host') return undefined;
  if (NetworkMode === 'host' && Hostname === daemonName) return undefined;
  return Hostname;
}

/** The MAC address that the user asked for; it goes with no network of its own. */
export function wishedMac(container: ContainerInspect): string | undefined {
  const { NetworkMode } = container.HostConfig;
  if (namespaceOwner(NetworkMode) !== undefined || NetworkMode === 'host') return undefined;
  const wished = container.Config.MacAddress;
  return wished === '' ? undefined : wished;
}

/** Below API 1.44 the endpoint's address is ignored; from then on this one is on its way out. */
function configMac(input: SpecInput): string | undefined {
  return speaks(input.apiVersion, '1.44') ? undefined : wishedMac(input.container);
}

/** A binding whose port is not exposed is silently not published, and the new image may have dropped its EXPOSE. */
function exposedPorts({ container, oldImage }: SpecInput): Record<string, object> {
  if (namespaceOwner(container.HostConfig.NetworkMode) !== undefined) return {};
  const inherited = oldImage.Config?.ExposedPorts ?? {};
  const own = Object.keys(container.Config.ExposedPorts ?? {}).filter((port) => inherited[port] === undefined);
  const published = Object.keys(container.HostConfig.PortBindings ?? {});
  return Object.fromEntries([...new Set([...own, ...published])].map((port) => [port, {}]));
}

/**
 * The engine takes the image's Cmd only where neither Entrypoint nor Cmd is sent, and the image's Entrypoint where null is
 * sent: `[]` is what clears it.
 */
function command(old: ContainerConfig, image: ContainerConfig): Pick<ContainerConfig, 'Entrypoint' | 'Cmd'> {
  const entrypoint = old.Entrypoint ?? [];
  const cmd = old.Cmd ?? [];
  const sameCmd = sameList(cmd, image.Cmd);
  const ownCmd = cmd.length === 0 ? {} : { Cmd: cmd };
  if (sameList(entrypoint, image.Entrypoint)) {
    if (sameCmd) return {};
    // The image's Cmd can only be cleared by naming the entrypoint.
    return cmd.length === 0 && entrypoint.length > 0 ? { Entrypoint: entrypoint } : ownCmd;
  }
  if (entrypoint.length === 0) return { Entrypoint: [], ...(sameCmd ? {} : ownCmd) };
  return { Entrypoint: entrypoint, ...ownCmd };
}

/** The sub-fields that the user set; the engine fills the others from the new image. */
function changedHealthcheck(
  own: Healthcheck | null | undefined,
  image: Healthcheck | null | undefined,
): Healthcheck | undefined {
  if (own === null || own === undefined) return undefined;
  if (own.Test?.[0] === 'NONE') return image?.Test?.[0] === 'NONE' ? undefined : { Test: ['NONE'] };
  const inherited = (image ?? {}) as Record<string, unknown>;
  const changed = Object.entries(own).filter(([field, value]) => {
    return !isNothing(value) && !sameValue(value, inherited[field]);
  });
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

function healthcheckWarnings(healthcheck: Healthcheck | undefined, newImage: ImageInspect): Finding[] {
  const inherited = newImage.Config?.Healthcheck?.Test ?? [];
  if (healthcheck === undefined || healthcheck.Test !== undefined) return [];
  if (inherited.length > 0 && inherited[0] !== 'NONE') return [];
  return [
    {
      code: 'healthcheck-without-test',
      text: `The container sets ${Object.keys(healthcheck).join(', ')} of the health check, but the new image has no health check: there will be none.`,
      remedy: 'Set the test as well (--health-cmd), or let the gate probe a port.',
    },
  ];
}
