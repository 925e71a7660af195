import { posix } from 'node:path';
import type { Finding } from '@evenkeel/contract';
import type { HostConfig, MountPoint, MountSpec } from '../platform/engine/engine-types.ts';
import type { SpecInput } from './spec-types.ts';

/** A bind as `source:target:options`, taken apart. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

/** Reads `/host:/target:ro,rshared` and `volume:/target`. */
export function parseBind(text: string): Bind {
  const [source = '', target = '', options = ''] = text.split(':');
  return { source, target: cleanPath(target), options: options === '' ? [] : options.split(',') };
}

/** `/data/` → `/data`: the engine takes both for the same target. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/, '') : clean;
}

/** Every target that the container's own settings name. */
export function namedTargets(host: HostConfig): Set<string> {
  return new Set([
    ...(host.Binds ?? []).map((bind) => parseBind(bind).target),
    ...(host.Mounts ?? []).map((mount) => cleanPath(mount.Target)),
    ...Object.keys(host.Tmpfs ?? {}).map(cleanPath),
  ]);
}

/**
 * Binds, Mounts and VolumesFrom of the replacement. Volumes that no setting names (VOLUME of the image, `-v /path`,
 * `--volumes-from`) are attached by name, and nothing of the new image is copied into a volume that the old container is
 * still using: copy-up happens at create.
 */
export function replacementMounts(input: SpecInput): {
  mounts: Pick<HostConfig, 'Binds' | 'Mounts' | 'VolumesFrom'>;
  warnings: Finding[];
} {
  const { container, emptyVolumes } = input;
  const host = container.HostConfig;
  const kept: string[] = [];
  const warned = new Set<string>();
  const binds = (host.Binds ?? []).map((text) => {
    const bind = parseBind(text);
    if (!emptyVolumes.has(bind.source) || bind.options.includes('nocopy')) return text;
    warned.add(bind.source);
    return `${bind.source}:${bind.target}:${[...bind.options, 'nocopy'].join(',')}`;
  });
  const mounts = (host.Mounts ?? []).map((mount) => {
    const filled = withSource(mount, container.Mounts);
    const { Source = '', VolumeOptions } = filled;
    if (filled.Type !== 'volume' || !emptyVolumes.has(Source) || VolumeOptions?.NoCopy === true) return filled;
    warned.add(Source);
    return { ...filled, VolumeOptions: { ...VolumeOptions, NoCopy: true } };
  });
  for (const source of host.VolumesFrom ?? []) {
    const repointed = repoint(source, input);
    if (repointed !== undefined) kept.push(repointed);
  }
  const allSourcesLive = kept.length === (host.VolumesFrom ?? []).length;
  const named = namedTargets(host);
  const attached = container.Mounts.filter((mount) => !named.has(cleanPath(mount.Destination))).flatMap((mount) =>
    attach(mount, allSourcesLive),
  );
  return {
    mounts: {
      ...(host.Binds === undefined ? {} : { Binds: host.Binds === null ? null : binds }),
      Mounts: [...mounts, ...attached],
      VolumesFrom: host.VolumesFrom === null ? null : kept,
    },
    warnings: [...warned].map(emptyVolumeWarning),
  };
}

/** `--mount type=volume,dst=/m` is stored without a source: the volume that the engine made for it has a name. */
function withSource(mount: MountSpec, points: readonly MountPoint[]): MountSpec {
  if (mount.Type !== 'volume' || (mount.Source ?? '') !== '') return mount;
  const point = points.find((candidate) => cleanPath(candidate.Destination) === cleanPath(mount.Target));
  return point?.Name === undefined ? mount : { ...mount, Source: point.Name };
}

function attach(mount: MountPoint, volumesFromLive: boolean): MountSpec[] {
  if (mount.Type === 'volume' && mount.Name !== undefined) return [volumeMount(mount)];
  // A bind that no setting names came by --volumes-from; it comes that way again unless the source is gone.
  if (mount.Type !== 'bind' || volumesFromLive) return [];
  const propagation = mount.Propagation ?? '';
  return [
    {
      Type: 'bind',
      Source: mount.Source,
      Target: mount.Destination,
      ReadOnly: !mount.RW,
      ...(propagation === '' ? {} : { BindOptions: { Propagation: propagation } }),
    },
  ];
}

/** A volume by its name at the place where the container has it; what the image has there is not copied into it. */
export function volumeMount(mount: MountPoint): MountSpec {
  return {
    Type: 'volume',
    Source: mount.Name ?? '',
    Target: mount.Destination,
    ReadOnly: !mount.RW,
    VolumeOptions: { NoCopy: true },
  };
}

/** An entry of VolumesFrom (`name` or `id`, `:ro`) that still has a source, else undefined: create would fail. */
function repoint(entry: string, { replaced, existing }: SpecInput): string | undefined {
  const [source = '', ...mode] = entry.split(':');
  const target = replaced[source];
  if (target !== undefined) return [target.id, ...mode].join(':');
  return existing.has(source) ? entry : undefined;
}

function emptyVolumeWarning(name: string): Finding {
  return {
    code: 'empty-volume',
    text: `The volume ${name} is empty, so the engine would copy the new image's files into it before the old container stops. It is mounted without that copy.`,
    remedy: null,
  };
}
