import type { LocalImage, Observed } from './observed.ts';
import {
  effectiveTag,
  formatReference,
  type ImageReference,
  isBareId,
  parseReference,
  repositoryOf,
} from './reference.ts';

/** What a running container is called at its registry. */
export type Identity =
  | { readonly kind: 'named'; readonly reference: ImageReference; readonly recovered: boolean }
  | { readonly kind: 'nameless'; readonly reason: string };

/**
 * From `Config.Image`, never from the first RepoTag. A bare id is traced to the name that compose gave the image, or to
 * the image's only tag.
 */
export function identify(observed: Observed): Identity {
  const { image, imageId } = observed;
  const short = /^[0-9a-f]{6,64}$/.test(image) && imageId.startsWith(`sha256:${image}`);
  if (short || isBareId(image)) return recover(observed);
  const parsed = parseReference(image);
  if (parsed.ok) return { kind: 'named', reference: parsed.reference, recovered: false };
  return { kind: 'nameless', reason: parsed.problem };
}

function recover({ running, stack, service }: Observed): Identity {
  const tags = running?.repoTags ?? [];
  const built = [`${stack}-${service}`, `${stack}_${service}`].flatMap((name) => [name, `${name}:latest`]);
  const byService = stack === null || service === null ? undefined : tags.find((tag) => built.includes(tag));
  const name = byService ?? (tags.length === 1 ? tags[0] : undefined);
  const parsed = name === undefined ? undefined : parseReference(name);
  if (parsed?.ok) return { kind: 'named', reference: parsed.reference, recovered: true };
  const reason =
    tags.length > 1
      ? `The container was created from an image id, and its image has several names (${tags.slice(0, 5).join(', ')}).`
      : 'The container was created from an image id, and its image has no name.';
  return { kind: 'nameless', reason };
}

/** All digests under which the image is known in this repository, not just the first. */
export function digestsOf(image: LocalImage | undefined, reference: ImageReference): string[] {
  const repository = repositoryOf(reference);
  return (image?.repoDigests ?? []).flatMap((text) => {
    const parsed = parseReference(text);
    if (!parsed.ok || parsed.reference.digest === undefined) return [];
    return repositoryOf(parsed.reference) === repository ? [parsed.reference.digest] : [];
  });
}

/** What has to be asked for a container: a tag of a repository, or nothing, and why. */
export type Question =
  | { readonly kind: 'ask'; readonly reference: ImageReference; readonly tag: string; readonly key: string }
  | { readonly kind: 'local'; readonly reason: string }
  | { readonly kind: 'pinned' }
  | { readonly kind: 'nameless'; readonly reason: string };

/**
 * An image without a digest was built or loaded here, unless its name has gone to another image since: the containerd image
 * store then forgets the digests. `cameFromRegistry`: what was seen earlier says so.
 */
export function questionOf(observed: Observed, identity: Identity, cameFromRegistry = false): Question {
  const { running, named, imageId } = observed;
  if (running !== undefined && running.repoDigests.length === 0) {
    const lostName = named?.id !== imageId;
    if (!lostName || !(cameFromRegistry || isReplaced(observed, identity))) {
      return { kind: 'local', reason: 'The image was built or loaded on this host: it has no digest of a registry.' };
    }
  }
  if (identity.kind === 'nameless') return identity;
  const { reference } = identity;
  const tag = effectiveTag(reference);
  if (tag === undefined) return { kind: 'pinned' };
  return { kind: 'ask', reference, tag, key: keyOf(reference, tag) };
}

/** `docker.io/library/nginx:1.27`: what is asked for once, whoever uses it. */
export function keyOf(reference: ImageReference, tag: string): string {
  return formatReference({ ...reference, tag, digest: undefined });
}

/** The image that has the name now came from the repository. */
function isReplaced({ named, imageId }: Observed, identity: Identity): boolean {
  if (identity.kind !== 'named' || named === undefined || named.id === imageId) return false;
  return digestsOf(named, identity.reference).length > 0;
}
