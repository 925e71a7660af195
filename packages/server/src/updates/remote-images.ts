import { type RegistryClient, RegistryError, type RepositoryName } from '../platform/registry/registry-client.ts';
import type { RemoteImage } from './observed.ts';
import { choosePlatform, isSamePlatform, platformText } from './platform-choice.ts';

const deepest = 3;

/** Reads what a digest holds for a platform: through indexes, nested ones too, down to the image configuration. */
export async function readRemoteImage(
  client: RegistryClient,
  repository: RepositoryName,
  digest: string,
  platform: string,
  signal: AbortSignal,
): Promise<RemoteImage> {
  const found = await findManifest(client, repository, digest, platform, 0, signal);
  if (found === undefined) return missing(digest);
  const config = await client.imageConfig(repository, found.config.digest, signal);
  if (config === undefined) throw vanished(repository, found.config.digest);
  const own = platformText(config.os, config.architecture, config.variant);
  // A plain manifest says its platform only in its configuration.
  if (found.digest === digest && config.os !== '' && !isSamePlatform(own, platform)) return missing(digest);
  const labels = config.config.Labels ?? {};
  const source = labels['org.opencontainers.image.source'] ?? '';
  return {
    digest,
    platformDigest: found.digest,
    imageId: found.config.digest,
    created: momentOf(config.created),
    version: labels['org.opencontainers.image.version'] || null,
    source: /^https?:\/\//i.test(source) && URL.canParse(source) ? source : null,
    layerSizes: found.layers.map(({ size }) => size),
    diffIds: config.diffIds,
    defaults: config.config,
  };
}

async function findManifest(
  client: RegistryClient,
  repository: RepositoryName,
  digest: string,
  platform: string,
  depth: number,
  signal: AbortSignal,
): Promise<{ digest: string; config: { digest: string }; layers: readonly { size: number }[] } | undefined> {
  const manifest = await client.manifest(repository, digest, signal);
  if (manifest === undefined) throw vanished(repository, digest);
  if (manifest.kind === 'image') return { digest, config: manifest.config, layers: manifest.layers };
  const { manifest: child, nested } = choosePlatform(manifest.manifests, platform);
  if (child) return findManifest(client, repository, child.digest, platform, depth + 1, signal);
  if (depth >= deepest) return undefined;
  for (const index of nested) {
    const found = await findManifest(client, repository, index.digest, platform, depth + 1, signal);
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
