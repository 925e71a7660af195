import type { ContainerInspect, HostConfig, ImageInspect, MountPoint } from '../platform/engine/engine-types.ts';
import { cleanPath, namedTargets, parseBind } from './spec-mounts.ts';
import type { SpecDifference } from './spec-types.ts';

interface ExpectedMount {
  readonly type: string;
  /** Name of the volume or path on the host; undefined where the engine picks one. */
  readonly source: string | undefined;
  readonly writable: boolean;
}

/**
 * Compares the mounts with the plan, without regard to order. Beside the planned ones there may be only new volumes for a
 * VOLUME of the new image, and what `--volumes-from` brings.
 */
export function compareMounts(sent: HostConfig, observed: ContainerInspect, newImage: ImageInspect): SpecDifference[] {
  const expected = expectedMounts(sent);
  const live = new Map(observed.Mounts.map((mount) => [cleanPath(mount.Destination), mount]));
  const differences: SpecDifference[] = [];
  for (const [target, mount] of expected) {
    const found = live.get(target);
    if (found === undefined || !fits(mount, found)) {
      differences.push({ path: `Mounts.${target}`, expected: mount, observed: found });
    }
  }
  const named = namedTargets(sent);
  const declared = new Set(Object.keys(newImage.Config?.Volumes ?? {}).map(cleanPath));
  const borrowed = (sent.VolumesFrom ?? []).length > 0;
  for (const [target, mount] of live) {
    if (named.has(target) || declared.has(target) || borrowed) continue;
    differences.push({ path: `Mounts.${target}`, expected: undefined, observed: mount });
  }
  return differences;
}

/** By target. Tmpfs of `--tmpfs` is not among the mounts that the engine answers. */
function expectedMounts(sent: HostConfig): Map<string, ExpectedMount> {
  const expected = new Map<string, ExpectedMount>();
  for (const text of sent.Binds ?? []) {
    const { source, target, options } = parseBind(text);
    const type = source.startsWith('/') ? 'bind' : 'volume';
    expected.set(target, { type, source: cleanPath(source), writable: !options.includes('ro') });
  }
  for (const { Type, Source = '', Target, ReadOnly } of sent.Mounts ?? []) {
    const source = Source === '' || Type === 'image' ? undefined : Source;
    expected.set(cleanPath(Target), { type: Type, source, writable: ReadOnly !== true });
  }
  return expected;
}

function fits(expected: ExpectedMount, found: MountPoint): boolean {
  if (expected.type !== found.Type) return false;
  // An image is mounted read-only whatever was asked, a tmpfs answers no source.
  if (found.Type === 'image' || found.Type === 'tmpfs') return true;
  if (expected.writable !== found.RW) return false;
  if (expected.source === undefined) return true;
  return found.Type === 'volume'
    ? found.Name === expected.source
    : cleanPath(found.Source) === cleanPath(expected.source);
}
