import { request } from 'undici';
import { type Image, mediaTypes, parsePlatform } from './image.ts';
import { digestOf } from './layer.ts';
import type { TestRegistry } from './registry.ts';

export interface PushedImage {
  /** Digest of the manifest. */
  digest: string;
  /** Digest of the config. */
  imageId: string;
  /** "host/repo:tag", ready for `docker run`. */
  reference: string;
}

export interface PushedIndex {
  digest: string;
  reference: string;
  /** Digests of the platform manifests in the order given. */
  children: string[];
}

/** Pushes an image and points the tag at it. Blobs that are there are not sent again. */
export async function pushImage(
  registry: TestRegistry,
  repository: string,
  tag: string,
  image: Image,
): Promise<PushedImage> {
  await pushContent(registry, repository, image);
  await putManifest(registry, repository, tag, image.mediaType, image.manifest);
  return { digest: image.digest, imageId: image.imageId, reference: `${registry.host}/${repository}:${tag}` };
}

export interface IndexOptions {
  /** Adds an attestation manifest ("unknown/unknown") for each platform, as buildx does. */
  attestations?: boolean;
  /** Wraps the index into another index, this many times. */
  nested?: number;
  oci?: boolean;
}

/** Pushes a multi-platform index. */
export async function pushIndex(
  registry: TestRegistry,
  repository: string,
  tag: string,
  entries: readonly { platform: string; image: Image }[],
  options: IndexOptions = {},
): Promise<PushedIndex> {
  const type = mediaTypes[options.oci ? 'oci' : 'docker'].index;
  const manifests: object[] = [];
  for (const { platform, image } of entries) {
    await pushContent(registry, repository, image);
    await putManifest(registry, repository, image.digest, image.mediaType, image.manifest);
    manifests.push({ ...descriptor(image.mediaType, image.manifest), platform: parsePlatform(platform) });
    if (options.attestations) manifests.push(await pushAttestation(registry, repository, image));
  }
  let index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests }));
  for (let level = 0; level < (options.nested ?? 0); level += 1) {
    await putManifest(registry, repository, digestOf(index), type, index);
    index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: [descriptor(type, index)] }));
  }
  await putManifest(registry, repository, tag, type, index);
  return {
    digest: digestOf(index),
    reference: `${registry.host}/${repository}:${tag}`,
    children: entries.map(({ image }) => image.digest),
  };
}

/** Points a tag at what another tag or digest of the same repository names. */
export async function moveTag(
  registry: TestRegistry,
  repository: string,
  tag: string,
  target: string,
): Promise<string> {
  const accept = Object.values(mediaTypes)
    .flatMap((family) => [family.manifest, family.index])
    .join(', ');
  const { body, type } = await call(registry, repository, 'GET', `manifests/${target}`, [200], { accept });
  await putManifest(registry, repository, tag, type, body);
  return digestOf(body);
}

/**
 * Removes what the tag names: this registry deletes manifests by digest, so every tag of the same manifest goes too.
 */
export async function deleteTag(registry: TestRegistry, repository: string, tag: string): Promise<void> {
  const accept = Object.values(mediaTypes)
    .flatMap((family) => [family.manifest, family.index])
    .join(', ');
  const { body } = await call(registry, repository, 'GET', `manifests/${tag}`, [200], { accept });
  await call(registry, repository, 'DELETE', `manifests/${digestOf(body)}`, [202]);
}

async function pushContent(registry: TestRegistry, repository: string, image: Image): Promise<void> {
  await pushBlob(registry, repository, image.imageId, image.config);
  for (const layer of image.layers) await pushBlob(registry, repository, layer.digest, layer.gzipped);
}

async function pushBlob(registry: TestRegistry, repository: string, digest: string, content: Buffer): Promise<void> {
  const { status } = await call(registry, repository, 'HEAD', `blobs/${digest}`, [200, 404]);
  if (status === 200) return;
  const { location } = await call(registry, repository, 'POST', 'blobs/uploads/', [202]);
  const separator = location.includes('?') ? '&' : '?';
  await call(
    registry,
    repository,
    'PUT',
    `${location}${separator}digest=${digest}`,
    [201],
    { 'content-type': 'application/octet-stream' },
    content,
  );
}

async function putManifest(
  registry: TestRegistry,
  repository: string,
  reference: string,
  type: string,
  content: Buffer,
): Promise<void> {
  await call(registry, repository, 'PUT', `manifests/${reference}`, [201], { 'content-type': type }, content);
}

/** What buildx adds beside each platform: an OCI manifest that describes the build and must never be run. */
async function pushAttestation(registry: TestRegistry, repository: string, image: Image): Promise<object> {
  const config = Buffer.from(
    JSON.stringify({ architecture: 'unknown', os: 'unknown', config: {}, rootfs: { type: 'layers', diff_ids: [] } }),
  );
  const statement = Buffer.from(
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v0.1', subject: [{ digest: image.digest }] }),
  );
  await pushBlob(registry, repository, digestOf(config), config);
  await pushBlob(registry, repository, digestOf(statement), statement);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.oci.manifest,
      config: descriptor(mediaTypes.oci.config, config),
      layers: [descriptor('application/vnd.in-toto+json', statement)],
    }),
  );
  await putManifest(registry, repository, digestOf(manifest), mediaTypes.oci.manifest, manifest);
  return {
    ...descriptor(mediaTypes.oci.manifest, manifest),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.digest': image.digest, 'vnd.docker.reference.type': 'attestation-manifest' },
  };
}

function descriptor(mediaType: string, content: Buffer) {
  return { mediaType, digest: digestOf(content), size: content.length };
}

/** One request to the registry past the proxy; an unexpected status is an error with the registry's own words. */
async function call(
  registry: TestRegistry,
  repository: string,
  method: string,
  path: string,
  expected: readonly number[],
  headers: Record<string, string> = {},
  body?: Buffer,
): Promise<{ status: number; location: string; type: string; body: Buffer }> {
  const url = path.startsWith('/')
    ? `${registry.direct.url}${path}`
    : `${registry.direct.url}/v2/${repository}/${path}`;
  const authorization = await registry.direct.authorization(repository);
  const response = await request(url, {
    method: method as 'GET',
    headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    ...(body === undefined ? {} : { body }),
  });
  const content = Buffer.from(await response.body.arrayBuffer());
  if (!expected.includes(response.statusCode)) {
    throw new Error(`${method} ${url} answered ${response.statusCode}: ${content.toString('utf8')}`);
  }
  const location = String(response.headers['location'] ?? '');
  return {
    status: response.statusCode,
    location: location.startsWith('http') ? new URL(location).pathname + new URL(location).search : location,
    type: String(response.headers['content-type']),
    body: content,
  };
}
