import { describe, expect, test } from 'vitest';
import type { EndpointSettings, HostConfig } from '../platform/engine/engine-types.ts';
import { buildReplacement } from './spec.ts';
import { created, hexId, imageV2, oldId, sampleContainer, sampleImage, sampleInput } from './spec-samples.ts';

const short = oldId.slice(0, 12);

function plan(
  NetworkMode: string,
  networks: Readonly<Record<string, EndpointSettings>>,
  more: Parameters<typeof sampleInput>[1] = {},
  host: HostConfig = {},
  config = {},
) {
  const container = sampleContainer({ host: { NetworkMode, ...host }, networks, config });
  const spec = buildReplacement(sampleInput(container, more));
  return {
    spec,
    mode: spec.create.HostConfig.NetworkMode,
    endpoints: spec.create.NetworkingConfig?.EndpointsConfig,
    connects: spec.connects,
    warnings: spec.warnings.map(({ code }) => code),
  };
}

const stored = (more: EndpointSettings = {}): EndpointSettings => ({
  NetworkID: hexId('f'),
  EndpointID: hexId('5'),
  Gateway: '10.0.0.1',
  IPAddress: '10.0.0.2',
  MacAddress: '02:42:0a:00:00:02',
  ...more,
});

describe('networks of a replacement', () => {
  test('only what can be asked for is sent, never ids and generated addresses', () => {
    const live = stored({
      Aliases: ['web', short],
      IPAMConfig: { IPv4Address: '10.0.0.2' },
      Links: ['db:d'],
      DriverOpts: { o: '1' },
      GwPriority: 5,
    });
    expect(plan('front', { front: live }).endpoints).toEqual({
      front: {
        Aliases: ['web'],
        IPAMConfig: { IPv4Address: '10.0.0.2' },
        Links: ['db:d'],
        DriverOpts: { o: '1' },
        GwPriority: 5,
      },
    });
  });

  test.each([
    ['the short id of an engine before 25', ['web', short], 'h', ['web']],
    ['short id and host name that a newer engine adds for old API versions', ['web', short, 'h'], 'h', ['web']],
    ['not the alias that equals the host name', ['h', short], 'h', ['h']],
    ['not a foreign short id', ['0123456789ab', short], 'h', ['0123456789ab']],
    ['nothing where the engine added nothing', ['web'], 'h', ['web']],
  ])('aliases: taken away is %s', (_what, Aliases, Hostname, expected) => {
    expect(plan('front', { front: { Aliases } }, {}, {}, { Hostname }).endpoints?.['front']?.Aliases).toEqual(expected);
  });

  test('no aliases, links and addresses on the default bridge', () => {
    const live = stored({ Aliases: ['x'], Links: ['a:b'], IPAMConfig: { IPv4Address: '10.0.0.9' } });
    const { endpoints, warnings } = plan('default', { bridge: live });
    expect(endpoints).toEqual({ bridge: {} });
    expect(warnings).toEqual(['address-not-possible']);
  });

  test('a static address on a network without a configured subnet is reported, not sent', () => {
    const { endpoints, warnings } = plan('loose', { loose: { IPAMConfig: { IPv4Address: '10.0.0.9' } } });
    expect([endpoints, warnings]).toEqual([{ loose: {} }, ['address-not-possible']]);
  });

  describe('several networks', () => {
    const networks = {
      back: { Aliases: ['b', short] },
      front: { Aliases: ['f', short], IPAMConfig: { IPv4Address: '10.0.0.9' } },
    };

    test('below API 1.44 one goes with the create and the others are connected', () => {
      const { endpoints, connects, mode } = plan('front', networks);
      expect(mode).toBe('front');
      expect(endpoints).toEqual({ front: { Aliases: ['f'], IPAMConfig: { IPv4Address: '10.0.0.9' } } });
      expect(connects).toEqual([{ network: 'back', endpoint: { Aliases: ['b'] } }]);
    });

    test('from API 1.44 on all go with the create', () => {
      const { endpoints, connects } = plan('front', networks, { apiVersion: '1.44' });
      expect(Object.keys(endpoints ?? {})).toEqual(['front', 'back']);
      expect(connects).toEqual([]);
    });

    test('NetworkMode may hold the beginning of the id', () => {
      const { endpoints, mode } = plan(hexId('f').slice(0, 20), networks);
      expect([Object.keys(endpoints ?? {}), mode]).toEqual([['front'], hexId('f').slice(0, 20)]);
    });

    test('a network that was left does not come back', () => {
      const { endpoints, mode } = plan('default', networks);
      expect([Object.keys(endpoints ?? {}), mode]).toEqual([['back'], 'back']);
    });
  });

  test('a container that left every network gets none, and a warning', () => {
    const { endpoints, mode, warnings } = plan('front', {});
    expect([endpoints, mode, warnings]).toEqual([undefined, 'none', ['detached']]);
  });

  test.each(['host', 'none'])('%s has no endpoints', (mode) => {
    expect(plan(mode, { [mode]: stored() })).toMatchObject({ mode, endpoints: undefined, connects: [] });
  });

  test('the network, processes and IPC of a replaced container are pointed at the new one', () => {
    const owner = hexId('7');
    const replaced = { [owner]: { id: hexId('8'), name: 'vpn.next.1' } };
    const of = `container:${owner}`;
    const { spec, endpoints } = plan(of, {}, { replaced }, { PidMode: of, IpcMode: of });
    const to = `container:${hexId('8')}`;
    expect(spec.create.HostConfig).toMatchObject({ NetworkMode: to, PidMode: to, IpcMode: to });
    expect(endpoints).toBeUndefined();
  });

  test('a namespace of a container that stays is left alone', () => {
    expect(
      plan('container:other', {}, {}, { PidMode: 'host', IpcMode: 'container:other' }).spec.create.HostConfig,
    ).toMatchObject({
      NetworkMode: 'container:other',
      PidMode: 'host',
      IpcMode: 'container:other',
    });
  });

  test('the MAC address goes into Config below API 1.44 and to the primary endpoint from then on', () => {
    const networks = { front: stored(), back: stored() };
    const mac = { MacAddress: '02:00:00:00:00:07' };
    expect(plan('front', networks, {}, {}, mac).spec.create.MacAddress).toBe(mac.MacAddress);
    expect(plan('front', networks, {}, {}, mac).endpoints).toEqual({ front: {} });
    const later = plan('front', networks, { apiVersion: '1.44' }, {}, mac);
    expect(later.spec.create.MacAddress).toBeUndefined();
    expect(later.endpoints).toEqual({ front: mac, back: {} });
  });

  test('start-first gives the name as an alias on networks of the user only, once', () => {
    const networks = { front: { Aliases: ['web', short] }, bridge: {}, back: { Aliases: [short] } };
    const { endpoints } = plan('front', networks, { apiVersion: '1.44', nameAlias: true });
    expect(endpoints).toEqual({ front: { Aliases: ['web'] }, back: { Aliases: ['web'] }, bridge: {} });
  });

  test('settings of an interface move to the endpoint where the API refuses them elsewhere', () => {
    const Sysctls = { 'net.ipv4.conf.eth0.forwarding': '1', 'net.core.somaxconn': '9' };
    const later = plan('front', { front: {} }, { apiVersion: '1.48' }, { Sysctls });
    expect(later.endpoints?.['front']?.DriverOpts).toEqual({
      'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.forwarding=1',
    });
    expect(later.spec.create.HostConfig['Sysctls']).toEqual({ 'net.core.somaxconn': '9' });
    expect(plan('front', { front: {} }, {}, { Sysctls }).spec.create.HostConfig['Sysctls']).toEqual(Sysctls);
  });

  test('a replacement of a replacement has the same endpoints', () => {
    const image = sampleImage(imageV2);
    const networks = { back: { Aliases: ['b', short] }, front: { Aliases: ['f', short] } };
    const first = plan('front', networks).spec;
    const second = buildReplacement(sampleInput(created(first, image), { oldImage: image, newImage: image }));
    expect(second.create.NetworkingConfig).toEqual(first.create.NetworkingConfig);
    expect(second.connects).toEqual(first.connects);
  });
});
