import type { Container, ContainerDetail, ContainerState, PortMapping } from '@evenkeel/contract';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { maskArguments, maskKnown, maskText, maskValue, secretsOf } from './masking.ts';

const projectLabel = 'com.docker.compose.project';
const longestOutput = 4096;
const serviceLabel = 'com.docker.compose.service';

export interface MapContext {
  readonly host: string;
  readonly stale: boolean;
  /** Id of the container in which we run. */
  readonly self: string | undefined;
}

/** What a list and the stream show of a container. Labels that hold secrets are masked. */
export function toContainer(inspect: ContainerInspect, { host, stale, self }: MapContext): Container {
  const labels = inspect.Config.Labels ?? {};
  const { State, HostConfig } = inspect;
  return {
    key: `${host}/${inspect.Id}`,
    host,
    id: inspect.Id,
    name: nameOf(inspect),
    image: inspect.Config.Image ?? inspect.Image,
    imageId: inspect.Image,
    state: stateOf(State.Status),
    health: healthOf(inspect),
    createdAt: toMoment(inspect.Created) ?? new Date(0).toISOString(),
    startedAt: toMoment(State.StartedAt),
    finishedAt: toMoment(State.FinishedAt),
    exitCode: State.Status === 'exited' || State.Status === 'dead' ? State.ExitCode : null,
    restartCount: inspect.RestartCount,
    restartPolicy: HostConfig.RestartPolicy?.Name || 'no',
    ports: portsOf(inspect),
    networks: Object.entries(inspect.NetworkSettings.Networks ?? {}).map(([name, endpoint]) => ({
      name,
      ip: endpoint.IPAddress || endpoint.GlobalIPv6Address || null,
    })),
    mounts: inspect.Mounts.map((mount) => ({
      type: mount.Type,
      source: (mount.Type === 'volume' ? mount.Name : mount.Source) || null,
      target: mount.Destination,
      readOnly: !mount.RW,
    })),
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, maskValue(name, value)])),
    stack: labels[projectLabel] ?? null,
    service: labels[serviceLabel] ?? null,
    self: inspect.Id === self,
    stale,
  };
}

/** What only a detail page shows. Secrets are masked in the environment, the command, and what the health check says. */
export function toDetail(inspect: ContainerInspect, context: MapContext): ContainerDetail {
  const { Config, HostConfig, State } = inspect;
  const secrets = secretsOf(Config.Env ?? []);
  const shown = (given: readonly string[] | null | undefined) =>
    maskArguments(given ?? []).map((argument) => maskKnown(argument, secrets));
  return {
    ...toContainer(inspect, context),
    command: shown(Config.Cmd),
    entrypoint: shown(Config.Entrypoint),
    environment: (Config.Env ?? []).map(toVariable),
    user: Config.User ?? '',
    workingDirectory: Config.WorkingDir ?? '',
    hostname: Config.Hostname ?? '',
    networkMode: HostConfig.NetworkMode ?? 'default',
    privileged: HostConfig.Privileged ?? false,
    healthLog: (State.Health?.Log ?? []).map((entry) => ({
      at: toMoment(entry.Start) ?? new Date(0).toISOString(),
      exitCode: entry.ExitCode,
      output: maskText(maskKnown(entry.Output.slice(0, longestOutput), secrets)),
    })),
    memoryLimitBytes: HostConfig.Memory === undefined || HostConfig.Memory === 0 ? null : HostConfig.Memory,
  };
}

export function nameOf(inspect: ContainerInspect): string {
  return inspect.Name.replace(/^\//, '');
}

const states: ReadonlySet<string> = new Set<ContainerState>([
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
]);

/** A state that the API may add one day is shown as `dead` rather than not at all. */
function stateOf(status: string): ContainerState {
  return states.has(status) ? (status as ContainerState) : 'dead';
}

function healthOf({ State }: ContainerInspect): Container['health'] {
  if (!State.Running) return 'none';
  const status = State.Health?.Status;
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none';
}

/** The zero time of Go stands for "never". */
function toMoment(text: string): string | null {
  const time = Date.parse(text);
  return Number.isNaN(time) || time <= 0 ? null : new Date(time).toISOString();
}

function portsOf(inspect: ContainerInspect): PortMapping[] {
  const published = inspect.NetworkSettings.Ports ?? {};
  const exposed = Object.keys(inspect.Config.ExposedPorts ?? {});
  const all = new Set([...Object.keys(published), ...exposed]);
  return [...all].flatMap((port) => {
    const [number = '', protocol = 'tcp'] = port.split('/');
    const privatePort = Number(number);
    if (!Number.isInteger(privatePort)) return [];
    const bindings = published[port] ?? [];
    if (bindings.length === 0) return [{ ip: null, privatePort, publicPort: null, protocol }];
    return bindings.map((binding) => ({
      ip: binding.HostIp || null,
      privatePort,
      publicPort: Number(binding.HostPort) || null,
      protocol,
    }));
  });
}

function toVariable(entry: string): { name: string; value: string } {
  const at = entry.indexOf('=');
  const name = at < 0 ? entry : entry.slice(0, at);
  const value = at < 0 ? '' : entry.slice(at + 1);
  return { name, value: maskValue(name, value) };
}
