import type {
  ContainerConfig,
  ContainerInspect,
  EndpointSettings,
  HostConfig,
  ImageInspect,
  MountPoint,
} from '../platform/engine/engine-types.ts';
import { mergedConfig } from './spec-merge.ts';
import { cleanPath, parseBind } from './spec-mounts.ts';
import type { ReplacementSpec, SpecInput } from './spec-types.ts';

/** Containers and images for unit tests, in the form in which an engine 20.10 answers. */

/** 64 digits, each the same. */
export const hexId = (digit: string) => digit.repeat(64);
export const oldId = hexId('a');

export const imageV1: ContainerConfig = {
  Env: ['PATH=/bin', 'A=1', 'ONLY_V1=yes'],
  Cmd: ['serve', '80'],
  Entrypoint: ['entry-1'],
  Labels: { v: '1', 'org.opencontainers.image.version': '1.0.0' },
  WorkingDir: '/srv/one',
  User: '',
  StopSignal: '',
  ExposedPorts: { '80/tcp': {} },
  Volumes: { '/data': {} },
  Healthcheck: { Test: ['CMD-SHELL', 'check one'], Interval: 1e9, Retries: 3 },
};
export const imageV2: ContainerConfig = {
  Env: ['PATH=/bin', 'A=2', 'ONLY_V2=yes'],
  Cmd: ['serve', '81'],
  Entrypoint: ['entry-2'],
  Labels: { v: '2', 'org.opencontainers.image.version': '2.0.0' },
  WorkingDir: '/srv/two',
  User: '',
  StopSignal: '',
  ExposedPorts: { '81/tcp': {} },
  Volumes: { '/data': {}, '/new': {} },
  Healthcheck: { Test: ['CMD-SHELL', 'check two'], Interval: 2e9, Retries: 4 },
};

export function sampleImage(config: ContainerConfig | null, more: Partial<ImageInspect> = {}): ImageInspect {
  return {
    Id: `sha256:${hexId('1')}`,
    RepoTags: ['app:1'],
    RepoDigests: [],
    Architecture: 'amd64',
    Os: 'linux',
    Size: 1,
    Config: config,
    ...more,
  };
}

export interface SampleParts {
  readonly id?: string;
  readonly name?: string;
  readonly config?: ContainerConfig;
  readonly host?: HostConfig;
  readonly mounts?: readonly MountPoint[];
  readonly networks?: Readonly<Record<string, EndpointSettings>>;
  readonly state?: Partial<ContainerInspect['State']>;
  readonly ports?: ContainerInspect['NetworkSettings']['Ports'];
}

/** A running container on the default bridge whose settings are `config` over those of version 1. */
export function sampleContainer(parts: SampleParts = {}): ContainerInspect {
  const id = parts.id ?? oldId;
  return {
    Id: id,
    Created: '2026-01-01T00:00:00.5Z',
    Path: 'entry-1',
    Args: [],
    Image: `sha256:${hexId('1')}`,
    Name: `/${parts.name ?? 'web'}`,
    RestartCount: 0,
    State: {
      Status: 'running',
      Running: true,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-01-01T00:00:03Z',
      FinishedAt: '0001-01-01T00:00:00Z',
      ...parts.state,
    },
    Config: { ...imageV1, Image: 'app:1', Hostname: id.slice(0, 12), ...parts.config },
    HostConfig: { NetworkMode: 'default', ...parts.host },
    Mounts: parts.mounts ?? [],
    NetworkSettings: { Networks: parts.networks ?? { bridge: {} }, Ports: parts.ports ?? {} },
  };
}

export function sampleInput(
  container: ContainerInspect = sampleContainer(),
  more: Partial<Omit<SpecInput, 'container'>> = {},
): SpecInput {
  return {
    container,
    oldImage: sampleImage(imageV1),
    newImage: sampleImage(imageV2, { Id: `sha256:${hexId('2')}` }),
    image: 'app:1',
    apiVersion: '1.41',
    daemonPlatform: 'linux/amd64',
    daemonName: 'machine',
    networks: {
      bridge: { id: hexId('b'), driver: 'bridge', hasSubnet: true },
      front: { id: hexId('f'), driver: 'bridge', hasSubnet: true },
      back: { id: hexId('c'), driver: 'bridge', hasSubnet: true },
      loose: { id: hexId('d'), driver: 'bridge', hasSubnet: false },
    },
    replaced: {},
    existing: new Set(['db', hexId('e')]),
    emptyVolumes: new Set(),
    nameAlias: false,
    finalName: 'web',
    ...more,
  };
}

/** A volume as the engine answers it. */
export function sampleVolume(name: string, destination: string, writable = true): MountPoint {
  return { Type: 'volume', Name: name, Source: `/volumes/${name}`, Destination: destination, RW: writable };
}

/** What an engine 20.10 answers for a container that was made by the spec and is not started: the round trip of the tests. */
export function created(spec: ReplacementSpec, image: ImageInspect, id = hexId('9')): ContainerInspect {
  const { HostConfig: host, NetworkingConfig: networking, ...sent } = spec.create;
  const config = mergedConfig(sent, image.Config ?? {});
  const shared = host.NetworkMode?.startsWith('container:') ?? false;
  const single = host.NetworkMode === 'host' || host.NetworkMode === 'none' ? { [host.NetworkMode]: {} } : {};
  const sentEndpoints = networking?.EndpointsConfig ?? (shared ? {} : single);
  const endpoints = {
    ...sentEndpoints,
    ...Object.fromEntries(spec.connects.map((one) => [one.network, one.endpoint])),
  };
  return {
    ...sampleContainer({ id, state: { Status: 'created', Running: false, StartedAt: '0001-01-01T00:00:00Z' } }),
    Image: image.Id,
    Config: { Hostname: id.slice(0, 12), ...config },
    HostConfig: host,
    Mounts: mountsOf(host, image),
    NetworkSettings: { Networks: withShortIds(endpoints, id), Ports: {} },
  };
}

function withShortIds(endpoints: Readonly<Record<string, EndpointSettings>>, id: string) {
  return Object.fromEntries(
    Object.entries(endpoints).map(([name, endpoint]) => {
      const aliases = name === 'bridge' ? null : [...(endpoint.Aliases ?? []), id.slice(0, 12)];
      return [name, { ...endpoint, Aliases: aliases }];
    }),
  );
}

function mountsOf(host: HostConfig, image: ImageInspect): MountPoint[] {
  const points = new Map<string, MountPoint>();
  for (const path of Object.keys(image.Config?.Volumes ?? {})) points.set(path, sampleVolume(`new-${path}`, path));
  for (const bind of (host.Binds ?? []).map(parseBind)) {
    const isBind = bind.source.startsWith('/');
    const writable = !bind.options.includes('ro');
    const point = sampleVolume(bind.source, bind.target, writable);
    points.set(bind.target, isBind ? { ...point, Type: 'bind', Source: bind.source } : point);
  }
  for (const mount of host.Mounts ?? []) {
    const point = sampleVolume(mount.Source ?? 'made', cleanPath(mount.Target), mount.ReadOnly !== true);
    const isVolume = mount.Type === 'volume';
    points.set(point.Destination, isVolume ? point : { ...point, Type: mount.Type, Source: mount.Source ?? '' });
  }
  for (const path of Object.keys(host.Tmpfs ?? {})) points.delete(cleanPath(path));
  return [...points.values()];
}
