import { describe, expect, test } from 'vitest';
import type { ContainerInspect, HostConfig } from '../platform/engine/engine-types.ts';
import { buildReplacement } from './spec.ts';
import { compareWithPlan } from './spec-compare.ts';
import {
  created,
  hexId,
  imageV1,
  imageV2,
  sampleContainer,
  sampleImage,
  sampleInput,
  sampleVolume,
} from './spec-samples.ts';

const newImage = sampleImage(imageV2, { Id: `sha256:${hexId('2')}` });
const host: HostConfig = {
  NetworkMode: 'front',
  Binds: ['named:/d:ro', '/host/:/h'],
  Mounts: [{ Type: 'tmpfs', Target: '/quick' }],
  Memory: 64,
  RestartPolicy: { Name: '' },
  SecurityOpt: ['a', 'b'],
  PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
};
const container = sampleContainer({
  host,
  config: { Env: ['A=9', 'PATH=/bin'], Labels: { ...imageV1.Labels, a: 'b' }, Cmd: ['own'] },
  mounts: [sampleVolume('named', '/d', false), sampleVolume('data', '/data')],
  networks: {
    front: { Aliases: ['web', 'aaaaaaaaaaaa'], IPAMConfig: { IPv4Address: '10.0.0.9' } },
    back: { Aliases: ['b'] },
  },
});
const spec = buildReplacement(sampleInput(container, { newImage }));
const made = created(spec, newImage);

/** Paths that differ once `change` has been made to what the engine answers. */
function differences(change: (observed: Mutable) => void = () => {}): string[] {
  const observed = structuredClone(made) as unknown as Mutable;
  change(observed);
  return compareWithPlan(spec, observed as unknown as ContainerInspect, { newImage }).map(({ path }) => path);
}

interface Mutable {
  Image: string;
  Config: Record<string, unknown>;
  HostConfig: Record<string, unknown>;
  Mounts: Record<string, unknown>[];
  NetworkSettings: { Networks: Record<string, Record<string, unknown>> };
}

describe('comparison with the plan', () => {
  test('finds nothing where the engine did as it was told', () => {
    expect(compareWithPlan(spec, made, { newImage })).toEqual([]);
  });

  test.each<[string, (observed: Mutable) => void]>([
    [
      'generated addresses and ids',
      ({ NetworkSettings: { Networks } }) =>
        Object.assign(Networks['front'] ?? {}, {
          IPAddress: '10.0.0.9',
          MacAddress: '02:42',
          NetworkID: 'x',
          EndpointID: 'y',
          Gateway: 'g',
        }),
    ],
    ['the order of mounts', (observed) => observed.Mounts.reverse()],
    [
      'the order of variables',
      ({ Config }) => Object.assign(Config, { Env: [...(Config['Env'] as string[])].reverse() }),
    ],
    [
      'defaults of the daemon where nothing was asked for',
      ({ HostConfig }) =>
        Object.assign(HostConfig, {
          ShmSize: 67108864,
          Runtime: 'runc',
          IpcMode: 'private',
          CgroupnsMode: 'host',
          LogConfig: { Type: 'json-file' },
          MaskedPaths: ['/proc/kcore'],
          LaterField: true,
        }),
    ],
    [
      'the two spellings of no restart policy',
      ({ HostConfig }) => Object.assign(HostConfig, { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } }),
    ],
    ['null for an empty list', ({ Config }) => Object.assign(Config, { OnBuild: null, Volumes: null })],
    ['one more "label=disable"', ({ HostConfig }) => Object.assign(HostConfig, { SecurityOpt: ['a', 'b', 'b'] })],
  ])('allows %s', (_what, change) => {
    expect(differences(change)).toEqual([]);
  });

  test.each<[string, (observed: Mutable) => void]>([
    ['Image', (observed) => Object.assign(observed, { Image: `sha256:${hexId('1')}` })],
    ['Config.Image', ({ Config }) => Object.assign(Config, { Image: 'other' })],
    ['Config.Env', ({ Config }) => Object.assign(Config, { Env: ['A=1'] })],
    ['Config.Env', ({ Config }) => (Config['Env'] as string[]).push('ONLY_V1=yes')],
    ['Config.Labels', ({ Config }) => Object.assign(Config, { Labels: { ...(Config['Labels'] as object), v: '1' } })],
    ['Config.Cmd', ({ Config }) => Object.assign(Config, { Cmd: ['serve', '81'] })],
    ['Config.Entrypoint', ({ Config }) => Object.assign(Config, { Entrypoint: ['entry-1'] })],
    ['Config.WorkingDir', ({ Config }) => Object.assign(Config, { WorkingDir: '/srv/one' })],
    ['Config.ExposedPorts', ({ Config }) => Object.assign(Config, { ExposedPorts: { '81/tcp': {} } })],
    ['Config.Healthcheck', ({ Config }) => Object.assign(Config, { Healthcheck: imageV1.Healthcheck })],
    ['HostConfig.Memory', ({ HostConfig }) => Object.assign(HostConfig, { Memory: 0 })],
    ['HostConfig.PortBindings', ({ HostConfig }) => Object.assign(HostConfig, { PortBindings: {} })],
    ['HostConfig.NetworkMode', ({ HostConfig }) => Object.assign(HostConfig, { NetworkMode: 'back' })],
    [
      'Mounts./data',
      (observed) =>
        Object.assign(observed.Mounts.find(({ Destination }) => Destination === '/data') ?? {}, { Name: 'fresh' }),
    ],
    [
      'Mounts./d',
      (observed) => Object.assign(observed.Mounts.find(({ Destination }) => Destination === '/d') ?? {}, { RW: true }),
    ],
    [
      'Mounts./h',
      (observed) =>
        observed.Mounts.splice(
          observed.Mounts.findIndex(({ Destination }) => Destination === '/h'),
          1,
        ),
    ],
    ['Mounts./extra', (observed) => observed.Mounts.push({ ...sampleVolume('x', '/extra') })],
    ['NetworkSettings.Networks', ({ NetworkSettings: { Networks } }) => delete Networks['back']],
    ['NetworkSettings.Networks', ({ NetworkSettings: { Networks } }) => Object.assign(Networks, { bridge: {} })],
    [
      'NetworkSettings.Networks.front.Aliases',
      ({ NetworkSettings: { Networks } }) =>
        Object.assign(Networks['front'] ?? {}, { Aliases: ['web', 'aaaaaaaaaaaa'] }),
    ],
    [
      'NetworkSettings.Networks.front.IPAMConfig',
      ({ NetworkSettings: { Networks } }) => Object.assign(Networks['front'] ?? {}, { IPAMConfig: null }),
    ],
  ])('finds %s', (path, change) => {
    expect(differences(change)).toEqual([path]);
  });

  test('a network that was not connected is a difference', () => {
    const { back: _left, ...first } = made.NetworkSettings.Networks;
    const observed = { ...made, NetworkSettings: { ...made.NetworkSettings, Networks: first } };
    expect(compareWithPlan(spec, observed, { newImage })).toHaveLength(1);
  });

  test.each([
    ['unconfined', [] as string[]],
    ['privileged', null],
  ])('masks that came back are found: %s', (_what, MaskedPaths) => {
    const own = buildReplacement(sampleInput(sampleContainer({ host: { MaskedPaths } }), { newImage }));
    const observed = created(own, newImage);
    const masked = { ...observed, HostConfig: { ...observed.HostConfig, MaskedPaths: ['/proc/kcore'] } };
    expect(compareWithPlan(own, masked, { newImage }).map(({ path }) => path)).toEqual(['HostConfig.MaskedPaths']);
  });

  test('the default bridge is the same under both of its names', () => {
    const own = buildReplacement(sampleInput(sampleContainer(), { newImage }));
    const observed = created(own, newImage);
    const renamed = { ...observed, HostConfig: { ...observed.HostConfig, NetworkMode: 'bridge' } };
    expect(compareWithPlan(own, renamed, { newImage })).toEqual([]);
  });

  test.each(['host', 'none', 'container:x'])('%s has the networks that the engine gives it', (NetworkMode) => {
    const parts = sampleContainer({ host: { NetworkMode }, networks: {}, config: { Hostname: 'h' } });
    const own = buildReplacement(sampleInput(parts, { newImage }));
    const observed = created(own, newImage);
    expect(compareWithPlan(own, observed, { newImage })).toEqual([]);
    const attached = { ...observed, NetworkSettings: { Networks: { bridge: {} } } };
    const expected = NetworkMode === 'container:x' ? [] : ['NetworkSettings.Networks'];
    expect(compareWithPlan(own, attached, { newImage }).map(({ path }) => path)).toEqual(expected);
  });

  test('links are compared by alias: the engine answers the names of the moment', () => {
    const own = buildReplacement(sampleInput(sampleContainer({ host: { Links: ['/db:/web/d'] } }), { newImage }));
    const observed = created(own, newImage);
    const links = (Links: string[]) =>
      compareWithPlan(own, { ...observed, HostConfig: { ...observed.HostConfig, Links } }, { newImage });
    expect(links(['/db.next.1:/web.next.1/d'])).toEqual([]);
    expect(links([])).toHaveLength(1);
  });

  test('a MAC address is compared once there is one', () => {
    const config = { MacAddress: '02:00:00:00:00:07' };
    const parts = sampleContainer({ config, host: { NetworkMode: 'front' }, networks: { front: {} } });
    const own = buildReplacement(sampleInput(parts, { newImage, apiVersion: '1.44' }));
    const observed = created(own, newImage);
    const withMac = (MacAddress: string) =>
      compareWithPlan(
        own,
        {
          ...observed,
          NetworkSettings: { Networks: { front: { ...observed.NetworkSettings.Networks['front'], MacAddress } } },
        },
        { newImage },
      ).map(({ path }) => path);
    expect([withMac(''), withMac(config.MacAddress), withMac('02:42:00:00:00:01')]).toEqual([
      [],
      [],
      ['NetworkSettings.Networks.front.MacAddress'],
    ]);
  });
});
