import { describe, expect, test } from 'vitest';
import type { ContainerInspect, HostConfig } from '../platform/engine/engine-types.ts';
import { buildReplacement, buildRestoration, foreignPlatform } from './spec.ts';
import { hexId, imageV1, oldId, sampleContainer, sampleImage, sampleInput, sampleVolume } from './spec-samples.ts';

function sent(host: HostConfig, more: Parameters<typeof sampleInput>[1] = {}, networks = {}) {
  const container = sampleContainer({ host, ...(Object.keys(networks).length === 0 ? {} : { networks }) });
  return buildReplacement(sampleInput(container, more));
}

describe('HostConfig of a replacement', () => {
  const limits: HostConfig = {
    Memory: 64,
    MemorySwap: 128,
    NanoCpus: 5e8,
    PidsLimit: 50,
    Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
    Sysctls: { 'net.core.somaxconn': '9' },
    Devices: [{ PathOnHost: '/dev/null' }],
    CapAdd: ['CAP_NET_ADMIN'],
    CapDrop: ['CAP_MKNOD'],
    GroupAdd: ['29'],
    ReadonlyRootfs: true,
    Init: true,
    ShmSize: 16777216,
    LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
    AutoRemove: false,
    ExtraHosts: ['x:host-gateway'],
    Tmpfs: { '/t': 'size=1m' },
    Runtime: 'runc',
    CgroupnsMode: 'private',
    OomScoreAdj: 5,
    Later: { field: 'of a later engine' },
  };
  test.each(Object.entries(limits))('carries %s as it is', (field, value) => {
    expect(sent(limits).create.HostConfig[field]).toEqual(value);
  });

  test('drops the size of the terminal and the file of the client', () => {
    const { HostConfig } = sent({ ConsoleSize: [1, 2], ContainerIDFile: '/x' }).create;
    expect(Object.keys(HostConfig)).not.toEqual(expect.arrayContaining(['ConsoleSize']));
    expect(HostConfig.ContainerIDFile).toBeUndefined();
  });

  const masked = [
    '/proc/asound',
    '/proc/acpi',
    '/proc/kcore',
    '/proc/keys',
    '/proc/latency_stats',
    '/proc/timer_list',
    '/proc/timer_stats',
    '/proc/sched_debug',
    '/proc/scsi',
    '/sys/firmware',
  ];
  const later = [
    ...masked,
    '/proc/interrupts',
    '/sys/devices/virtual/powercap',
    '/sys/devices/system/cpu/cpu11/thermal_throttle',
  ];
  test.each<[string, string[] | null, string[] | null | 'left out']>([
    ['the default of engine 20.10', masked, 'left out'],
    ['the default of a later engine', later, 'left out'],
    ['unconfined', [], []],
    ['privileged', null, null],
    ['a list of the user', ['/proc/kcore'], ['/proc/kcore']],
    ['the default and more', [...masked, '/mine'], [...masked, '/mine']],
  ])('masked paths: %s', (_what, MaskedPaths, expected) => {
    const { HostConfig } = sent({
      MaskedPaths,
      ReadonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    }).create;
    expect('MaskedPaths' in HostConfig ? HostConfig.MaskedPaths : 'left out').toEqual(expected);
    expect('ReadonlyPaths' in HostConfig).toBe(false);
  });

  test('a container without a network of its own sends nothing that needs one', () => {
    const host = {
      Dns: ['1.1.1.1'],
      ExtraHosts: ['a:b'],
      PortBindings: { '80/tcp': [{ HostPort: '1' }] },
      PublishAllPorts: true,
      Links: ['/a:/b/c'],
      DnsSearch: ['s'],
    };
    const { HostConfig } = sent({ NetworkMode: 'container:x', ...host }, {}, { none: {} }).create;
    expect(HostConfig).toMatchObject({ DnsSearch: ['s'] });
    for (const field of ['Dns', 'ExtraHosts', 'PortBindings', 'PublishAllPorts', 'Links'])
      expect(HostConfig).not.toHaveProperty(field);
    expect(sent({ NetworkMode: 'host', ...host }, {}, { host: {} }).create.HostConfig).not.toHaveProperty('Links');
  });

  test('options that some engines add at each create do not pile up', () => {
    expect(sent({ SecurityOpt: ['label=disable', 'label=disable'] }).create.HostConfig['SecurityOpt']).toEqual([
      'label=disable',
    ]);
  });

  describe('links of the default bridge', () => {
    const Links = ['/db:/web/database', '/gone:/web/g', '/cache:/web/cache'];

    test('are sent as target and alias, a replaced target by its new id, and a lost one is reported', () => {
      const replaced = { [hexId('7')]: { id: hexId('8'), name: 'cache.next.1' } };
      const spec = sent({ Links }, { replaced });
      expect(spec.create.HostConfig.Links).toEqual(['db:database', `${hexId('8')}:cache`]);
      expect(spec.warnings.map(({ code }) => code)).toEqual(['link-gone']);
    });

    test('end when the container has left the bridge', () => {
      const spec = sent({ Links: ['/db:/web/database'], NetworkMode: 'front' }, {}, { front: {} });
      expect(spec.create.HostConfig.Links).toEqual([]);
      expect(spec.warnings.map(({ code }) => code)).toEqual(['link-gone']);
    });
  });

  test('ports that the engine picks are carried and reported as a loss', () => {
    const PortBindings = {
      '80/tcp': [{ HostPort: '' }],
      '81/tcp': [{ HostPort: '8081' }],
      '82/tcp': [{ HostPort: '0' }],
      '83/tcp': [{ HostPort: '9000-9010' }],
    };
    const container: ContainerInspect = sampleContainer({
      host: { PortBindings, PublishAllPorts: true },
      ports: {
        '80/tcp': [
          { HostIp: '0.0.0.0', HostPort: '49153' },
          { HostIp: '::', HostPort: '49153' },
        ],
        '81/tcp': [],
        '99/tcp': [{ HostPort: '49160' }],
      },
    });
    const spec = buildReplacement(sampleInput(container));
    expect(spec.create.HostConfig).toMatchObject({ PortBindings, PublishAllPorts: true });
    expect(spec.losses.map(({ text }) => text.split(':')[0])).toEqual([
      'Port 80/tcp is published on a port that the engine picks (now 49153)',
      'Port 82/tcp is published on a port that the engine picks',
      'Port 83/tcp is published on a port that the engine picks',
      'Port 99/tcp is published on a port that the engine picks (now 49160)',
    ]);
  });
});

describe('platform', () => {
  test.each<[string, string | undefined, string, string | undefined]>([
    ['amd64', undefined, 'linux/amd64', undefined],
    ['arm64', 'v8', 'linux/arm64', undefined],
    ['arm64', 'v8', 'linux/amd64', 'linux/arm64/v8'],
    ['arm', 'v6', 'linux/arm/v7', 'linux/arm/v6'],
    ['386', undefined, 'linux/amd64', 'linux/386'],
  ])('%s %s on %s: %s', (Architecture, Variant, daemon, expected) => {
    expect(
      foreignPlatform(sampleImage({}, { Architecture, ...(Variant === undefined ? {} : { Variant }) }), daemon),
    ).toBe(expected);
  });
});

describe('bringing back the old container', () => {
  const Labels = { 'com.docker.compose.project': 'p', 'com.docker.compose.image': 'sha256:old' };
  const container = sampleContainer({
    host: { AutoRemove: true, RestartPolicy: { Name: 'no' } },
    config: { Env: ['A=9', 'ONLY_V1=yes', 'PATH=/bin'], Labels: { ...imageV1.Labels, ...Labels } },
    mounts: [sampleVolume('kept', '/data')],
  });
  const { apiVersion, daemonPlatform, daemonName, networks, replaced, existing } = sampleInput();
  const options = { apiVersion, daemonPlatform, daemonName, networks, replaced, existing };

  test('takes the old image by id, the same settings, labels as they were, and volumes by name', () => {
    const { create } = buildRestoration(container, sampleImage(imageV1), options);
    expect(create).toMatchObject({ Image: sampleImage(imageV1).Id, Env: ['A=9'], Labels });
    expect(create.Labels).toEqual(Labels);
    expect(create.HostConfig.AutoRemove).toBe(true);
    expect(create.HostConfig.Mounts).toEqual([
      { Type: 'volume', Source: 'kept', Target: '/data', ReadOnly: false, VolumeOptions: { NoCopy: true } },
    ]);
  });

  test('takes the name of the image where one leads to it', () => {
    expect(buildRestoration(container, sampleImage(imageV1), { ...options, image: 'app:1' }).create.Image).toBe(
      'app:1',
    );
  });

  test('does not keep the generated host name of the one that is gone', () => {
    expect(buildRestoration(container, sampleImage(imageV1), options).create.Hostname).not.toBe(oldId.slice(0, 12));
  });
});
