/**
 * The API versions that this client was written against. 1.41 is Docker 20.10. Not beyond 1.51, although later ones are known: from
 * 1.52 on an inspect no longer shows the MAC address that a container was asked to have, and its replacement would get another one.
 */
export const oldestKnown = '1.41';
export const newestKnown = '1.51';

/** Negative when `a` is older than `b`. Versions are numbers with a point, not decimals: 1.9 is older than 1.41. */
export function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}

/**
 * The version to speak with an engine whose newest is `offered` (header `Api-Version` of `GET /_ping`): the highest that
 * both know. Undefined when the engine is older than anything we know.
 */
export function negotiateVersion(offered: string): string | undefined {
  if (!/^\d+\.\d+$/.test(offered) || compareVersions(offered, oldestKnown) < 0) return undefined;
  return compareVersions(offered, newestKnown) < 0 ? offered : newestKnown;
}
