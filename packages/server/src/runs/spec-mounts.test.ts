import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostConfig, MountPoint } from '../platform/engine/engine-types.ts';
import { buildHolder, buildReplacement } from './spec.ts';
import { created, imageV1, imageV2, sampleContainer, sampleImage, sampleInput, sampleVolume } from './spec-samples.ts';

function sent(host: HostConfig, mounts: readonly MountPoint[], more: Parameters<typeof sampleInput>[1] = {}) {
  const spec = buildReplacement(sampleInput(sampleContainer({ host, mounts }), more));
  const { Binds, Mounts, VolumesFrom } = spec.create.HostConfig;
  return { Binds, Mounts, VolumesFrom, warnings: spec.warnings.map(({ code }) => code), spec };
}

const reattached = (name: string, target: string, readOnly = false) => ({
  Type: 'volume',
  Source: name,
  Target: target,
  ReadOnly: readOnly,
  VolumeOptions: { NoCopy: true },
});

describe('mounts of a replacement', () => {
  test('a volume that no setting names is attached by name, without copying into it', () => {
    const mounts = [sampleVolume('one', '/data'), sampleVolume('two', '/anon', false)];
    expect(sent({}, mounts).Mounts).toEqual([reattached('one', '/data'), reattached('two', '/anon', true)]);
  });

  test('nothing is attached twice: a target counts with and without a slash at its end', () => {
    const host: HostConfig = {
      Binds: ['named:/d:ro', '/host:/bound/:rshared'],
      Mounts: [{ Type: 'volume', Source: 'v', Target: '/mounted/' }],
      Tmpfs: { '/quick/': 'size=1m' },
    };
    const mounts = [
      sampleVolume('named', '/d', false),
      sampleVolume('v', '/mounted'),
      sampleVolume('left-over', '/quick'),
      { ...sampleVolume('', '/bound'), Type: 'bind' },
    ];
    const { Binds, Mounts } = sent(host, mounts);
    expect(Binds).toEqual(host.Binds);
    expect(Mounts).toEqual(host.Mounts);
  });

  test('a mount without a source gets the name of the volume that the engine made for it', () => {
    const host: HostConfig = { Mounts: [{ Type: 'volume', Target: '/m', VolumeOptions: { Labels: { a: 'b' } } }] };
    expect(sent(host, [sampleVolume('made', '/m')]).Mounts).toEqual([
      { Type: 'volume', Source: 'made', Target: '/m', VolumeOptions: { Labels: { a: 'b' } } },
    ]);
  });

  test('an empty volume gets nocopy and is reported; one with files stays as the user wrote it', () => {
    const host: HostConfig = {
      Binds: ['empty:/a', 'empty:/b:ro', 'full:/c', 'empty:/d:nocopy'],
      Mounts: [
        { Type: 'volume', Source: 'empty2', Target: '/e' },
        { Type: 'volume', Source: 'full', Target: '/f' },
      ],
    };
    const { Binds, Mounts, warnings } = sent(host, [], { emptyVolumes: new Set(['empty', 'empty2']) });
    expect(Binds).toEqual(['empty:/a:nocopy', 'empty:/b:ro,nocopy', 'full:/c', 'empty:/d:nocopy']);
    expect(Mounts).toEqual([
      { Type: 'volume', Source: 'empty2', Target: '/e', VolumeOptions: { NoCopy: true } },
      { Type: 'volume', Source: 'full', Target: '/f' },
    ]);
    expect(warnings).toEqual(['empty-volume', 'empty-volume']);
  });

  test('VolumesFrom stays while its source is there, and is pointed at the one that replaces it', () => {
    const host: HostConfig = { VolumesFrom: ['db:ro', 'gone', 'old-id:rw'] };
    const replaced = { 'old-id': { id: 'new-id', name: 'src' } };
    expect(sent(host, [], { replaced }).VolumesFrom).toEqual(['db:ro', 'new-id:rw']);
  });

  test('a bind that came from a container that is gone is attached by itself', () => {
    const bind = { Type: 'bind', Source: '/host', Destination: '/x', RW: false, Propagation: 'rslave' };
    expect(sent({ VolumesFrom: ['gone'] }, [bind]).Mounts).toEqual([
      { Type: 'bind', Source: '/host', Target: '/x', ReadOnly: true, BindOptions: { Propagation: 'rslave' } },
    ]);
    expect(sent({ VolumesFrom: ['db'] }, [bind]).Mounts).toEqual([]);
  });

  test('Binds that were null stay null', () => {
    expect(sent({ Binds: null }, []).Binds).toBeNull();
  });

  const targets = fc.uniqueArray(fc.constantFrom('/data', '/anon', '/a', '/b', '/c/d'), { maxLength: 5 });
  const kind = fc.constantFrom('bind', 'volume', 'mount', 'nameless', 'tmpfs', 'image');

  test('each volume keeps its name and target over any number of replacements, and none is added', () => {
    fc.assert(
      fc.property(targets, fc.array(kind, { minLength: 5, maxLength: 5 }), (paths, kinds) => {
        const asked = paths.map((path, index) => ({ path, kind: kinds[index] }));
        const of = (wanted: string) => asked.filter((one) => one.kind === wanted).map(({ path }) => path);
        const host: HostConfig = {
          Binds: [
            ...of('bind').map((path) => `/host:${path}`),
            ...of('volume').map((path) => `name-${path.slice(1, 2)}:${path}:ro`),
          ],
          Mounts: [
            ...of('mount').map((path) => ({ Type: 'volume', Source: 'shared', Target: path })),
            ...of('nameless').map((path) => ({ Type: 'volume', Target: path })),
          ],
          Tmpfs: Object.fromEntries(of('tmpfs').map((path) => [path, ''])),
        };
        const one = sampleImage({ ...imageV1, Volumes: Object.fromEntries(of('image').map((path) => [path, {}])) });
        const two = sampleImage({ ...imageV2, Volumes: {} });
        const container = created({ ...sent(host, []).spec, create: { HostConfig: host } }, one);
        const first = buildReplacement(sampleInput(container, { oldImage: one, newImage: two }));
        const second = buildReplacement(sampleInput(created(first, two), { oldImage: two, newImage: two }));
        expect(second.create.HostConfig).toEqual(first.create.HostConfig);
        const places = (mounts: readonly MountPoint[]) =>
          mounts.map((mount) => [mount.Destination, mount.Type, mount.Name, mount.RW]).sort();
        expect(places(created(first, two).Mounts)).toEqual(places(container.Mounts));
      }),
    );
  });
});

describe('the holder of a --rm container', () => {
  test('refers to every volume, makes none and can neither run nor be reached', () => {
    const container = sampleContainer({
      host: { AutoRemove: true, Binds: ['/host:/bound'], RestartPolicy: { Name: 'always' } },
      config: { Volumes: { '/data': {}, '/covered': {} } },
      mounts: [
        sampleVolume('one', '/data'),
        sampleVolume('named', '/n', false),
        { ...sampleVolume('', '/bound'), Type: 'bind' },
      ],
    });
    const holder = buildHolder(container);
    expect(holder).toMatchObject({ Image: container.Image, Entrypoint: ['hold'] });
    expect(holder.HostConfig).toEqual({
      NetworkMode: 'none',
      RestartPolicy: { Name: 'no' },
      Mounts: [reattached('one', '/data'), reattached('named', '/n', true)],
      Tmpfs: { '/covered': '' },
    });
  });
});
