import type { RemoteImage, SeenDigest } from './observed.ts';

/** The history of a tag, newest first: by when the tag began to name each digest the last time. */
export type History = readonly SeenDigest[];

/**
 * While the newest digest is too young, those before it that are old enough: a tag that is pushed every day would otherwise
 * never be proposed. Newest first. Only digests seen after the running one count, none where the running one was never seen,
 * and none that the publisher has left for an older one.
 */
export function earlierDigests(
  history: History,
  newest: string,
  isRunning: (digest: string) => boolean,
  oldEnough: number,
): string[] {
  const running = history.findIndex(({ digest }) => isRunning(digest));
  return history
    .slice(0, Math.max(0, running))
    .filter(({ digest, firstSeenAt }, index) => {
      const withdrawn = history.slice(0, index).some((later) => later.firstSeenAt < firstSeenAt);
      return digest !== newest && firstSeenAt <= oldEnough && !withdrawn;
    })
    .map(({ digest }) => digest);
}

/**
 * When the image was first seen under the tag. An index that changes for another platform starts no new age: the manifest of
 * the own platform, or the same configuration, counts. Undefined where it never was.
 */
export function firstSeenOf(
  history: History,
  { digest, platformDigest, imageId }: Pick<RemoteImage, 'digest' | 'platformDigest' | 'imageId'>,
  imageOf: (digest: string) => RemoteImage | undefined,
): number | undefined {
  const times = history.flatMap((seen) => {
    const image = imageOf(seen.digest);
    const same =
      seen.digest === digest ||
      seen.digest === platformDigest ||
      (image !== undefined && image.platformDigest !== null && image.platformDigest === platformDigest) ||
      (image !== undefined && image.imageId !== null && image.imageId === imageId);
    return same ? [seen.firstSeenAt] : [];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}
