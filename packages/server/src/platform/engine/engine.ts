import type {
  ContainerInspect,
  ContainerSummary,
  CreateBody,
  EndpointSettings,
  EngineEvent,
  EngineInfo,
  EngineVersion,
  HostConfig,
  ImageInspect,
  ImageSummary,
  NetworkInspect,
  VolumeInspect,
} from './engine-types.ts';

/**
 * One Docker Engine. Each method is one engine call (a `pull` is one call with a stream).
 *
 * Errors: `EngineError` where the engine answered with an error status, `Fault('engine_unreachable')` where it did not
 * answer (refused, timed out, connection lost). A lost reply says nothing about whether the call took effect:
 * callers that change something look again. Redirects are never followed.
 */
export interface Engine {
  /** `unix:///var/run/docker.sock`, `tcp://host:2375`. */
  readonly endpoint: string;
  /** The negotiated version, `1.41`; known after the first call. Every path carries it. */
  apiVersion(): Promise<string>;
  ping(signal?: AbortSignal): Promise<void>;
  version(): Promise<EngineVersion>;
  info(): Promise<EngineInfo>;
  readonly containers: EngineContainers;
  readonly images: EngineImages;
  readonly networks: EngineNetworks;
  readonly volumes: EngineVolumes;
  /** Follows `GET /events` from `since` (seconds with fraction, engine time) until the signal or the connection ends; a lost connection throws. */
  events(options: { since?: string; signal: AbortSignal }): AsyncIterable<EngineEvent>;
  close(): Promise<void>;
}

export interface EngineContainers {
  list(signal?: AbortSignal): Promise<ContainerSummary[]>;
  /** Undefined when there is none. `idOrName` as the engine takes it. */
  inspect(idOrName: string, signal?: AbortSignal): Promise<ContainerInspect | undefined>;
  /** `platform` as `linux/arm64/v8`, only where it differs from the daemon's. */
  create(name: string, body: CreateBody, options?: { platform?: string }): Promise<{ id: string; warnings: string[] }>;
  /** Already running is not an error. */
  start(idOrName: string): Promise<void>;
  /** Already stopped is not an error. Without a time-out the container's own holds. Waits as long as the engine needs. */
  stop(idOrName: string, options?: { timeoutSeconds?: number }): Promise<void>;
  restart(idOrName: string, options?: { timeoutSeconds?: number }): Promise<void>;
  rename(idOrName: string, name: string): Promise<void>;
  /** `POST /containers/{id}/update`. */
  update(idOrName: string, patch: Pick<HostConfig, 'RestartPolicy'>): Promise<void>;
  /** Missing is not an error. `volumes` removes anonymous volumes (`v=1`). */
  remove(idOrName: string, options?: { force?: boolean; volumes?: boolean }): Promise<void>;
  /** Resolves when the condition holds; missing is an answer too (exit code undefined). */
  wait(
    idOrName: string,
    condition: 'not-running' | 'removed',
    signal?: AbortSignal,
  ): Promise<{ exitCode: number | undefined }>;
  changes(idOrName: string): Promise<{ path: string; kind: 'modified' | 'added' | 'deleted' }[]>;
  /** What is at a path, without its content; undefined when it is missing. `modified` is RFC 3339 with nanoseconds. */
  statPath(idOrName: string, path: string): Promise<{ modified: string } | undefined>;
  /** An uncompressed tar; undefined when the path is missing. Destroy the stream when done. */
  getArchive(idOrName: string, path: string): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Uncompressed tar only. */
  putArchive(idOrName: string, path: string, tar: ReadableStream<Uint8Array> | Uint8Array): Promise<void>;
  logs(idOrName: string, options: LogOptions): AsyncIterable<LogChunk>;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly tail?: number;
  /** RFC 3339 or seconds with a fraction. */
  readonly since?: string;
  readonly until?: string;
  /** The container has a TTY: the stream is not multiplexed. */
  readonly tty: boolean;
  readonly signal?: AbortSignal;
}

/** One line of output. Lines over 64 KiB are cut into several. */
export interface LogChunk {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds. */
  readonly at: string;
  readonly text: string;
}

export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

export interface PullProgress {
  readonly status: string;
  readonly layer?: string;
  readonly current?: number;
  readonly total?: number;
}

export interface EngineImages {
  list(): Promise<ImageSummary[]>;
  /** By id or reference; undefined when there is none. */
  inspect(idOrReference: string, signal?: AbortSignal): Promise<ImageInspect | undefined>;
  /** An error inside the stream rejects with `EngineError`, as does an error status. */
  pull(
    reference: string,
    options?: {
      platform?: string;
      auth?: RegistryAuth;
      onProgress?: (progress: PullProgress) => void;
      signal?: AbortSignal;
    },
  ): Promise<void>;
  tag(idOrReference: string, repository: string, tag: string): Promise<void>;
  /** Removes a tag, or the image with its last one. Missing is not an error. Never forced. */
  remove(idOrReference: string): Promise<void>;
}

export interface EngineNetworks {
  list(): Promise<NetworkInspect[]>;
  inspect(idOrName: string): Promise<NetworkInspect | undefined>;
  connect(network: string, container: string, endpoint: EndpointSettings): Promise<void>;
  disconnect(network: string, container: string, options?: { force?: boolean }): Promise<void>;
}

export interface EngineVolumes {
  inspect(name: string): Promise<VolumeInspect | undefined>;
  /** Missing is not an error. */
  remove(name: string): Promise<void>;
}

/** The engine answered with an error. `status` 0 is an error inside a pull stream. */
export class EngineError extends Error {
  readonly status: number;
  readonly call: string;

  constructor(status: number, call: string, message: string) {
    super(message);
    this.name = 'EngineError';
    this.status = status;
    this.call = call;
  }
}
