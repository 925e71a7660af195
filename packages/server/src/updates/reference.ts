import { canonicalRegistry } from '../platform/registry/registry-trust.ts';

/**
 * Image references: `[domain/]path[:tag][@algorithm:hex]` (distribution/reference grammar, OCI distribution spec 1.1).
 * Nothing here throws: what people and engines write is judged, and the answer says what is wrong.
 */
export interface ImageReference {
  /** Registry as it is remembered, lower case: `docker.io` for Docker Hub, `ghcr.io` for its front `lscr.io`. */
  readonly host: string;
  /** Repository below the host; Docker Hub's one-part names have gained `library/`. */
  readonly path: string;
  /** As written; undefined when neither tag nor digest was written means `latest`, see `effectiveTag`. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** What stood before the tag and digest, exactly as written. */
  readonly spelling: string;
}

export type ParsedReference =
  | { readonly ok: true; readonly reference: ImageReference }
  | { readonly ok: false; readonly problem: string; readonly bareId: boolean };

const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const componentPattern = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const domainPattern =
  /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::\d{1,5})?$/;

/** Splits and checks a reference. `nginx` → `docker.io/library/nginx`, spelled `nginx`, without a tag. */
export function parseReference(text: string): ParsedReference {
  if (text === '') return wrong('The image reference is empty.');
  if (text.length > 1024) return wrong('The image reference is longer than 1024 characters.');
  if (isBareId(text)) return { ok: false, problem: `"${shown(text)}" is an image id, not a name.`, bareId: true };
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  if (digest !== undefined && !digestPattern.test(digest)) return wrong(`"${shown(digest)}" is not a digest.`);
  if (digest?.startsWith('sha256:') && digest.length !== 71)
    return wrong(`"${shown(digest)}" is not a SHA-256 digest.`);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const spelling = hasTag ? named.slice(0, colon) : named;
  if (tag !== undefined && !tagPattern.test(tag)) return wrong(`"${shown(tag)}" is not a tag.`);
  return parseName(spelling, tag, digest);
}

function parseName(spelling: string, tag: string | undefined, digest: string | undefined): ParsedReference {
  const slash = spelling.indexOf('/');
  const first = slash < 0 ? '' : spelling.slice(0, slash);
  const hasDomain = first !== '' && (/[.:]/.test(first) || first === 'localhost');
  const written = hasDomain ? spelling.slice(slash + 1) : spelling;
  if (hasDomain && !domainPattern.test(first)) return wrong(`"${shown(first)}" is not a registry host.`);
  if (written.length > 255) return wrong('The repository name is longer than 255 characters.');
  for (const component of written.split('/')) {
    if (!componentPattern.test(component)) {
      return wrong(
        `"${shown(written)}" is not a repository name: only lower case letters, digits and . _ - between them.`,
      );
    }
  }
  const host = canonicalRegistry(hasDomain ? first : 'docker.io');
  const path = host === 'docker.io' && !written.includes('/') ? `library/${written}` : written;
  return { ok: true, reference: { host, path, tag, digest, spelling } };
}

/** True for an image id where a name should stand: `sha256:…`, or 64 hex digits. */
export function isBareId(text: string): boolean {
  return /^(?:sha256:[0-9a-f]{7,64}|[0-9a-f]{64})$/.test(text);
}

/** The tag that is meant: the written one, `latest` when neither tag nor digest was written, none for a pure digest. */
export function effectiveTag(reference: ImageReference): string | undefined {
  return reference.tag ?? (reference.digest === undefined ? 'latest' : undefined);
}

/** `docker.io/library/nginx`. */
export function repositoryOf(reference: Pick<ImageReference, 'host' | 'path'>): string {
  return `${reference.host}/${reference.path}`;
}

/** `docker.io/library/nginx:1.27`; with the digest where one was written. */
export function formatReference(reference: ImageReference): string {
  const tag = effectiveTag(reference);
  return `${repositoryOf(reference)}${tag === undefined ? '' : `:${tag}`}${reference.digest === undefined ? '' : `@${reference.digest}`}`;
}

/** The user's own spelling with another tag: `nginx:1.26` → `nginx:1.27`; unchanged where the tag is the same. */
export function respell(reference: ImageReference, tag: string): string {
  if (tag === effectiveTag(reference) && reference.tag === undefined) return reference.spelling;
  return `${reference.spelling}:${tag}`;
}

function wrong(problem: string): ParsedReference {
  return { ok: false, problem, bareId: false };
}

function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not reach people's screens.
  const clean = text.replaceAll(/[\u0000-\u001f\u007f]/g, '?');
  return clean.length > 80 ? `${clean.slice(0, 77)}…` : clean;
}
