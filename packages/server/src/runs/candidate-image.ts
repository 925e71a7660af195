import type { Engine } from '../platform/engine/engine.ts';
import type { ImageInspect } from '../platform/engine/engine-types.ts';
import { RegistryError, type RepositoryName } from '../platform/registry/registry-client.ts';
import type { Registries } from '../registries/index.ts';
import type { Target } from './run.ts';

/**
 * The image that is to be brought in, before it is pulled: from the engine where it is there already, else from the registry's
 * documents (cached by digest since the check). Undefined when neither tells: the plan is then made without it, and the pull will
 * say what is wrong with the registry.
 */
export async function candidateImage(
  engine: Engine,
  registries: Registries,
  target: Target,
  signal?: AbortSignal,
): Promise<ImageInspect | undefined> {
  for (const id of target.imageIds) {
    const present = await engine.images.inspect(id, signal);
    if (present !== undefined) return present;
  }
  const repository = repositoryOf(target);
  const { manifestDigest } = target;
  if (repository === undefined || manifestDigest === null) return undefined;
  try {
    return await fromRegistry(registries, repository, manifestDigest, signal);
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

async function fromRegistry(
  registries: Registries,
  repository: RepositoryName,
  manifestDigest: string,
  signal: AbortSignal | undefined,
): Promise<ImageInspect | undefined> {
  const manifest = await registries.client.manifest(repository, manifestDigest, signal);
  if (manifest?.kind !== 'image') return undefined;
  const config = await registries.client.imageConfig(repository, manifest.config.digest, signal);
  if (config === undefined) return undefined;
  return {
    Id: manifest.config.digest,
    RepoTags: null,
    RepoDigests: null,
    Architecture: config.architecture,
    Os: config.os,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    Config: config.config,
  };
}

function repositoryOf(target: Target): RepositoryName | undefined {
  const slash = target.repository?.indexOf('/') ?? -1;
  if (target.repository === null || slash <= 0) return undefined;
  return { host: target.repository.slice(0, slash), path: target.repository.slice(slash + 1) };
}
