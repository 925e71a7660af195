import { describeError } from '../platform/fault.ts';
import {
  type Descriptor,
  type RegistryClient,
  RegistryError,
  type RegistryImageConfig,
  type RepositoryName,
} from '../platform/registry/registry-client.ts';
import { boundDefaults } from './image-changes.ts';
import type { RemoteImage } from './observed.ts';
import { choosePlatform, isSamePlatform, platformText } from './platform-choice.ts';

const deepest = 3;
/** Manifests read for one image; an index of indexes could name any number. */
const mostManifests = 32;
const mostLayers = 500;
const longestText = 200;
/** Anything else is a chart, a policy or another artifact that only lives in a registry. */
const imageConfigTypes: ReadonlySet<string> = new Set([
  '',
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  'application/octet-stream',
]);

interface Found {
  readonly digest: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/**
 * Reads what a digest holds for a platform: through indexes, nested ones too, down to the image configuration. An index says
 * the platform itself: where only the configuration fails, the rest is known, and `unread` says why it is not all.
 */
export async function readRemoteImage(
  client: RegistryClient,
  repository: RepositoryName,
  digest: string,
  platform: string,
  signal: AbortSignal,
): Promise<RemoteImage> {
  const left = { manifests: mostManifests };
  const found = await findManifest({ client, repository, platform, signal, left }, digest, 0);
  if (found === undefined || !imageConfigTypes.has(found.config.mediaType)) return missing(digest);
  if (found.layers.length > mostLayers) {
    const text = `The registry ${repository.host} holds an image in ${repository.path} with more than ${mostLayers} layers: no engine can run it.`;
    throw new RegistryError('broken', repository.host, text);
  }
  const bare = {
    ...missing(digest),
    platformDigest: found.digest,
    imageId: found.config.digest,
    layerSizes: found.layers.map(({ size }) => size),
  };
  const plain = found.digest === digest;
  let config: RegistryImageConfig | undefined;
  try {
    config = await client.imageConfig(repository, found.config.digest, signal);
    if (config === undefined) throw vanished(repository, found.config.digest);
  } catch (error) {
    if (plain || signal.aborted) throw error;
    return { ...bare, unread: describeError(error) };
  }
  const own = platformText(config.os, config.architecture, config.variant);
  // A plain manifest says its platform only in its configuration.
  if (plain && !isSamePlatform(own, platform)) return missing(digest);
  const labels = config.config.Labels ?? {};
  const source = labels['org.opencontainers.image.source'] ?? '';
  return {
    ...bare,
    created: momentOf(config.created),
    version: labels['org.opencontainers.image.version']?.slice(0, longestText) || null,
    source: /^https?:\/\//i.test(source) && source.length <= 2048 && URL.canParse(source) ? source : null,
    diffIds: config.diffIds.slice(0, mostLayers),
    defaults: boundDefaults(config.config),
  };
}

interface Search {
  readonly client: RegistryClient;
  readonly repository: RepositoryName;
  readonly platform: string;
  readonly signal: AbortSignal;
  readonly left: { manifests: number };
}

async function findManifest(search: Search, digest: string, depth: number): Promise<Found | undefined> {
  const { client, repository, platform, signal, left } = search;
  left.manifests -= 1;
  if (left.manifests < 0) {
    const text = `The registry ${repository.host} holds an index in ${repository.path} with more than ${mostManifests} indexes in it.`;
    throw new RegistryError('broken', repository.host, text);
  }
  const manifest = await client.manifest(repository, digest, signal);
  if (manifest === undefined) throw vanished(repository, digest);
  if (manifest.kind === 'image') return { digest, config: manifest.config, layers: manifest.layers };
  const { manifest: child, nested } = choosePlatform(manifest.manifests, platform);
  if (child) return findManifest(search, child.digest, depth + 1);
  if (depth >= deepest) return undefined;
  for (const index of nested) {
    const found = await findManifest(search, index.digest, depth + 1);
    if (found) return found;
  }
  return undefined;
}

function missing(digest: string): RemoteImage {
  return {
    digest,
    platformDigest: null,
    imageId: null,
    created: null,
    version: null,
    source: null,
    layerSizes: [],
    diffIds: [],
    defaults: {},
    unread: null,
  };
}

function vanished(repository: RepositoryName, digest: string): RegistryError {
  const text = `The registry ${repository.host} names ${digest} in ${repository.path} but does not have it.`;
  return new RegistryError('broken', repository.host, text);
}

function momentOf(text: string | undefined): string | null {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) || time <= 0 ? null : new Date(time).toISOString();
}
