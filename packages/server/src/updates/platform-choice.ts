import type { Descriptor } from '../platform/registry/registry-client.ts';

const indexTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);

/** What an index holds for a platform: a manifest, and the nested indexes in which one may stand. */
export interface PlatformChoice {
  readonly manifest: Descriptor | undefined;
  readonly nested: readonly Descriptor[];
}

/**
 * By operating system, architecture and variant of the running image. Attestations (`unknown/unknown`) are never chosen.
 * `arm64` and `arm64/v8` are one; an entry without a variant serves where no exact one stands.
 */
export function choosePlatform(entries: readonly Descriptor[], platform: string): PlatformChoice {
  const [os = '', architecture = '', variant] = platform.split('/');
  const nested = entries.filter((entry) => indexTypes.has(entry.mediaType));
  const fitting = entries.filter(
    (entry) =>
      !indexTypes.has(entry.mediaType) && entry.platform?.os === os && entry.platform.architecture === architecture,
  );
  const wanted = variantOf(architecture, variant);
  const exact = fitting.find((entry) => variantOf(architecture, entry.platform?.variant) === wanted);
  const loose = fitting.find((entry) => wanted === '' || variantOf(architecture, entry.platform?.variant) === '');
  return { manifest: exact ?? loose, nested };
}

/** True where an image of one platform serves in place of another. */
export function isSamePlatform(one: string, other: string): boolean {
  const [os, architecture = '', variant] = one.split('/');
  const [otherOs, otherArchitecture, otherVariant] = other.split('/');
  if (os !== otherOs || architecture !== otherArchitecture) return false;
  const a = variantOf(architecture, variant);
  const b = variantOf(architecture, otherVariant);
  return a === b || a === '' || b === '';
}

function variantOf(architecture: string, variant: string | undefined): string {
  if (variant === undefined || variant === '') return '';
  return architecture === 'arm64' && variant === 'v8' ? '' : variant;
}

export function platformText(os: string, architecture: string, variant: string | undefined): string {
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}
