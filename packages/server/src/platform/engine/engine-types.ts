/**
 * What we read of the Docker Engine API (1.41 and newer; https://docs.docker.com/reference/api/engine/).
 * Lenient on purpose: a field that an engine version lacks is undefined, and what we do not name is kept as it came,
 * because a container is re-created from the whole answer.
 */
export interface ContainerInspect {
  readonly Id: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Paused: boolean;
    readonly Restarting: boolean;
    readonly OOMKilled: boolean;
    readonly Dead: boolean;
    readonly ExitCode: number;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
    readonly Health?: {
      readonly Status: string;
      readonly FailingStreak: number;
      readonly Log: readonly { readonly Start: string; readonly ExitCode: number; readonly Output: string }[] | null;
    };
  };
  /** Image id (config digest; manifest digest with the containerd image store). */
  readonly Image: string;
  /** With a leading slash. */
  readonly Name: string;
  readonly RestartCount: number;
  readonly Platform?: string;
  readonly HostConfig: HostConfig;
  readonly Mounts: readonly MountPoint[];
  readonly Config: ContainerConfig;
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, EndpointSettings>>;
    readonly Ports?: PortMap | null;
  };
}

export interface ContainerConfig {
  readonly Hostname?: string;
  readonly Domainname?: string;
  readonly User?: string;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  readonly NetworkDisabled?: boolean;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Image?: string;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly MacAddress?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly StopTimeout?: number | null;
  readonly Healthcheck?: Healthcheck | null;
  readonly [field: string]: unknown;
}

export interface Healthcheck {
  readonly Test?: readonly string[];
  /** Nanoseconds, as are the others. */
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export type PortMap = Readonly<
  Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>
>;

export interface HostConfig {
  readonly Binds?: readonly string[] | null;
  readonly Mounts?: readonly MountSpec[] | null;
  readonly Tmpfs?: Readonly<Record<string, string>> | null;
  readonly NetworkMode?: string;
  readonly PidMode?: string;
  readonly IpcMode?: string;
  readonly UTSMode?: string;
  readonly PortBindings?: PortMap | null;
  readonly PublishAllPorts?: boolean;
  readonly RestartPolicy?: { readonly Name: string; readonly MaximumRetryCount?: number };
  readonly AutoRemove?: boolean;
  readonly VolumesFrom?: readonly string[] | null;
  readonly Links?: readonly string[] | null;
  readonly Privileged?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly MaskedPaths?: readonly string[] | null;
  readonly ReadonlyPaths?: readonly string[] | null;
  readonly Devices?: readonly unknown[] | null;
  readonly DeviceRequests?: readonly unknown[] | null;
  readonly Memory?: number;
  readonly ConsoleSize?: unknown;
  readonly ContainerIDFile?: string;
  readonly [field: string]: unknown;
}

export interface MountSpec {
  readonly Type: string;
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly VolumeOptions?: { readonly NoCopy?: boolean; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface MountPoint {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode?: string;
  readonly RW: boolean;
  readonly Propagation?: string;
}

export interface EndpointSettings {
  readonly IPAMConfig?: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[];
  } | null;
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly GwPriority?: number;
  readonly MacAddress?: string;
  readonly NetworkID?: string;
  readonly EndpointID?: string;
  readonly Gateway?: string;
  readonly IPAddress?: string;
  readonly GlobalIPv6Address?: string;
  readonly [field: string]: unknown;
}

/** An element of `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly State: string;
  readonly Status: string;
  /** Seconds since 1970. */
  readonly Created: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly HostConfig?: { readonly NetworkMode?: string };
  readonly Mounts?: readonly MountPoint[];
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, EndpointSettings>> | null } | null;
}

export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  readonly Created?: string;
  readonly Architecture: string;
  readonly Os: string;
  readonly Variant?: string;
  readonly Size: number;
  readonly Config: ContainerConfig | null;
  readonly RootFS?: { readonly Type: string; readonly Layers?: readonly string[] };
}

export interface ImageSummary {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
}

export interface NetworkInspect {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Scope?: string;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null };
  readonly Containers?: Readonly<Record<string, { readonly Name: string }>>;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

export interface VolumeInspect {
  readonly Name: string;
  readonly Driver: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** Body of `POST /containers/create`: the Config at the top level with HostConfig and NetworkingConfig beside it. */
export interface CreateBody extends ContainerConfig {
  readonly HostConfig: HostConfig;
  readonly NetworkingConfig?: { readonly EndpointsConfig: Readonly<Record<string, EndpointSettings>> };
}

/** An element of `GET /events`. */
export interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly time: number;
  readonly timeNano: number;
}

export interface EngineVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion?: string;
  readonly Os: string;
  readonly Arch: string;
}

export interface EngineInfo {
  readonly ID: string;
  readonly Name: string;
  readonly OperatingSystem: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  /** The engine's own clock, RFC 3339. */
  readonly SystemTime?: string;
  readonly RegistryConfig?: { readonly InsecureRegistryCIDRs?: readonly string[] };
}
