import { baseLayer, createLayer, digestOf, type Layer, type LayerEntry } from './layer.ts';

export interface ImageHealthcheck {
  /** A shell command; `['NONE']` and the exec form work as in a Dockerfile's JSON. */
  test: string | readonly string[];
  /** Seconds; 1 when left out. */
  interval?: number;
  timeout?: number;
  startPeriod?: number;
  retries?: number;
}

/** What an image is made of. Everything has a default; an empty spec is an image that sleeps. */
export interface ImageSpec {
  /** Label org.opencontainers.image.version. */
  version?: string;
  env?: readonly string[];
  cmd?: readonly string[] | null;
  entrypoint?: readonly string[] | null;
  /** "80/tcp" or "80". */
  expose?: readonly string[];
  labels?: Readonly<Record<string, string>>;
  volumes?: readonly string[];
  workdir?: string;
  user?: string;
  healthcheck?: ImageHealthcheck;
  stopSignal?: string;
  /** A second layer with these files. */
  files?: readonly LayerEntry[];
  /** This machine's when left out. The programs inside are always this machine's. */
  platform?: string;
  /** When the image says it was built; fixed when left out, so that equal specs give equal images. */
  created?: Date;
  /** OCI media types instead of Docker schema 2. */
  oci?: boolean;
}

/** A built image, not yet anywhere. */
export interface Image {
  config: Buffer;
  /** Digest of the config: the image's id on an engine with the classic image store. */
  imageId: string;
  manifest: Buffer;
  /** Digest of the manifest: what the registry and RepoDigests show. */
  digest: string;
  mediaType: string;
  layers: readonly Layer[];
  platform: ImagePlatform;
}

export interface ImagePlatform {
  os: string;
  architecture: string;
  variant?: string;
}

/** Media types of the two families. */
export const mediaTypes = {
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
} as const;

/** What images call the architectures that Node names otherwise. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64' };

/** "linux/arm/v7" → its parts. */
export function parsePlatform(text: string): ImagePlatform {
  const [os = 'linux', architecture = 'amd64', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Builds an image in memory: the shared layer, at most one of its own, and a config. Takes about a millisecond. */
export async function buildImage(spec: ImageSpec = {}): Promise<Image> {
  const layers = [await baseLayer(), ...(spec.files === undefined ? [] : [await createLayer(spec.files)])];
  const platform = parsePlatform(spec.platform ?? `linux/${architectures[process.arch] ?? process.arch}`);
  const created = (spec.created ?? new Date('2026-01-01T00:00:00Z')).toISOString();
  const config = Buffer.from(
    JSON.stringify({
      ...platform,
      created,
      config: containerConfig(spec),
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map((_, index) => ({ created, created_by: index === 0 ? 'busybox and scripts' : 'files' })),
    }),
  );
  const types = mediaTypes[spec.oci ? 'oci' : 'docker'];
  const imageId = digestOf(config);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, size: config.length, digest: imageId },
      layers: layers.map((layer) => ({ mediaType: types.layer, size: layer.gzipped.length, digest: layer.digest })),
    }),
  );
  return { config, imageId, manifest, digest: digestOf(manifest), mediaType: types.manifest, layers, platform };
}

/** The `config` object of the image config, as `docker build` writes it. */
function containerConfig(spec: ImageSpec): Record<string, unknown> {
  const labels = {
    ...spec.labels,
    ...(spec.version === undefined ? {} : { 'org.opencontainers.image.version': spec.version }),
  };
  return {
    Env: ['PATH=/bin', ...(spec.env ?? [])],
    Entrypoint: spec.entrypoint ?? null,
    Cmd: spec.cmd === undefined ? ['sleeper'] : spec.cmd,
    Labels: labels,
    ...(spec.expose === undefined
      ? {}
      : { ExposedPorts: asKeys(spec.expose.map((port) => (port.includes('/') ? port : `${port}/tcp`))) }),
    ...(spec.volumes === undefined ? {} : { Volumes: asKeys(spec.volumes) }),
    ...(spec.workdir === undefined ? {} : { WorkingDir: spec.workdir }),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
    ...(spec.healthcheck === undefined ? {} : { Healthcheck: healthcheckConfig(spec.healthcheck) }),
  };
}

function healthcheckConfig(check: ImageHealthcheck): Record<string, unknown> {
  const nanoseconds = (seconds: number) => Math.round(seconds * 1e9);
  return {
    Test: typeof check.test === 'string' ? ['CMD-SHELL', check.test] : check.test,
    Interval: nanoseconds(check.interval ?? 1),
    Timeout: nanoseconds(check.timeout ?? 5),
    ...(check.startPeriod === undefined ? {} : { StartPeriod: nanoseconds(check.startPeriod) }),
    Retries: check.retries ?? 3,
  };
}

function asKeys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
