/**
 * One client for all registries (OCI distribution spec 1.1, Docker Registry HTTP API v2). Retry, cool-down per host,
 * concurrency and the cache by digest live inside; nothing above knows of them.
 *
 * Errors: `RegistryError` with who is at fault; never an empty answer for a sick registry.
 */
export interface RegistryClient {
  /** Digest of a tag by HEAD (GET and hash where the header is missing). One request at a time per reference. Undefined: 404. */
  resolve(repository: RepositoryName, tag: string, signal?: AbortSignal): Promise<string | undefined>;
  /** A manifest or index by digest: fetched once, verified by its hash, cached for ever. Undefined: 404. */
  manifest(repository: RepositoryName, digest: string, signal?: AbortSignal): Promise<RegistryManifest | undefined>;
  /** An image configuration by digest: fetched once, verified by its hash, cached for ever. */
  imageConfig(
    repository: RepositoryName,
    digest: string,
    signal?: AbortSignal,
  ): Promise<RegistryImageConfig | undefined>;
  /** All tags, all pages. Undefined: 404. */
  tags(repository: RepositoryName, signal?: AbortSignal): Promise<string[] | undefined>;
  /** How a host is doing, for people and metrics. */
  health(host: string): RegistryHealth;
  /** Requests so far, for metrics: one entry per host, method and status (0: no answer). */
  counters(): readonly RegistryCounter[];
  /** Verifies credentials against `/v2/`. */
  test(host: string, signal?: AbortSignal): Promise<{ ok: boolean; detail: string }>;
  close(): Promise<void>;
}

/** `docker.io/library/nginx` is `{ host: 'docker.io', path: 'library/nginx' }`. */
export interface RepositoryName {
  readonly host: string;
  readonly path: string;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

export type RegistryManifest =
  | { readonly kind: 'index'; readonly mediaType: string; readonly manifests: readonly Descriptor[] }
  | {
      readonly kind: 'image';
      readonly mediaType: string;
      readonly config: Descriptor;
      readonly layers: readonly Descriptor[];
    };

export interface RegistryImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly created?: string;
  /** Digests of the uncompressed layers, in the order of the manifest's layers. */
  readonly diffIds: readonly string[];
  readonly config: {
    readonly Env?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly ExposedPorts?: Readonly<Record<string, object>>;
    readonly Volumes?: Readonly<Record<string, object>>;
    readonly User?: string;
    readonly WorkingDir?: string;
    readonly Labels?: Readonly<Record<string, string>>;
    /** Times in nanoseconds, as in the image specification. */
    readonly Healthcheck?: {
      readonly Test?: readonly string[];
      readonly Interval?: number;
      readonly Timeout?: number;
      readonly StartPeriod?: number;
      readonly StartInterval?: number;
      readonly Retries?: number;
    };
    readonly StopSignal?: string;
  };
}

export interface RegistryHealth {
  readonly state: 'unused' | 'ok' | 'cooling-down' | 'sick' | 'denied';
  readonly reason: string | null;
  /** Epoch milliseconds. */
  readonly coolDownUntil: number | null;
  readonly rateLimitRemaining: number | null;
  readonly requests: number;
}

export interface RegistryCounter {
  readonly host: string;
  readonly method: string;
  readonly status: number;
  readonly count: number;
}

/** `kind`: `sick` (time-out, 5xx, cut, wrong certificate), `busy` (429 or cooling down), `denied` (401, 403), `broken` (answers nonsense). */
export class RegistryError extends Error {
  readonly kind: 'sick' | 'busy' | 'denied' | 'broken';
  readonly host: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    kind: 'sick' | 'busy' | 'denied' | 'broken',
    host: string,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'RegistryError';
    this.kind = kind;
    this.host = host;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
