import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContainerConfig } from '../platform/engine/engine-types.ts';
import { buildReplacement } from './spec.ts';
import { created, imageV1, imageV2, oldId, sampleContainer, sampleImage, sampleInput } from './spec-samples.ts';

/** The Config part of what is sent for version 2 when the container's settings are `config` over those of version 1. */
function sent(config: ContainerConfig, more: Parameters<typeof sampleInput>[1] = {}) {
  const {
    HostConfig: _host,
    NetworkingConfig: _networks,
    ...rest
  } = buildReplacement(sampleInput(sampleContainer({ config }), more)).create;
  return rest;
}

describe('Config of a replacement', () => {
  test('a container with the defaults of its image sends nothing but the image', () => {
    expect(sent({})).toEqual({ Image: 'app:1' });
  });

  const rows: [string, ContainerConfig, ContainerConfig][] = [
    [
      'the variables of the user, in order',
      { Env: ['A=9', 'NEW=x', 'PATH=/bin', 'ONLY_V1=yes'] },
      { Env: ['A=9', 'NEW=x'] },
    ],
    ['a variable without a value, which removes that of the image', { Env: ['A', 'PATH=/bin'] }, { Env: ['A'] }],
    ['labels that the image does not have', { Labels: { a: 'b', ...imageV1.Labels } }, { Labels: { a: 'b' } }],
    [
      'a label of the image with another value',
      { Labels: { ...imageV1.Labels, v: 'mine' } },
      { Labels: { v: 'mine' } },
    ],
    [
      'user, working folder and stop signal where they differ',
      { User: '33', WorkingDir: '/x', StopSignal: 'SIGINT' },
      { User: '33', WorkingDir: '/x', StopSignal: 'SIGINT' },
    ],
    [
      'what no image can set',
      { Domainname: 'd', Tty: true, OpenStdin: true, StdinOnce: true, StopTimeout: 7, NetworkDisabled: true },
      { Domainname: 'd', Tty: true, OpenStdin: true, StdinOnce: true, StopTimeout: 7, NetworkDisabled: true },
    ],
    [
      'no attached streams, no volumes, nothing that only an image has',
      {
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Volumes: { '/data': {}, '/anon': {} },
        OnBuild: ['RUN x'],
        Shell: ['/bin/sh'],
        ArgsEscaped: true,
      },
      {},
    ],
    ['a field of a later engine where the image does not set it', { Later: 'x' }, { Later: 'x' }],
    ['Cmd alone where only it differs', { Cmd: ['other'] }, { Cmd: ['other'] }],
    [
      'Entrypoint and Cmd where the entrypoint differs',
      { Entrypoint: ['/bin/sh'], Cmd: ['-c', 'x'] },
      { Entrypoint: ['/bin/sh'], Cmd: ['-c', 'x'] },
    ],
    [
      'the Cmd too that looks inherited behind another entrypoint',
      { Entrypoint: ['/bin/sh'] },
      { Entrypoint: ['/bin/sh'], Cmd: ['serve', '80'] },
    ],
    ['another entrypoint without a Cmd', { Entrypoint: ['/bin/sh'], Cmd: null }, { Entrypoint: ['/bin/sh'] }],
    ['an empty list for a cleared entrypoint', { Entrypoint: null }, { Entrypoint: [] }],
    [
      'a cleared entrypoint with a Cmd of its own',
      { Entrypoint: null, Cmd: ['run'] },
      { Entrypoint: [], Cmd: ['run'] },
    ],
    ['the entrypoint of the image where its Cmd was cleared', { Cmd: null }, { Entrypoint: ['entry-1'] }],
    [
      'only the part of the health check that differs',
      { Healthcheck: { ...imageV1.Healthcheck, Interval: 9e9 } },
      { Healthcheck: { Interval: 9e9 } },
    ],
    [
      'NONE alone, without the numbers that the engine filled in',
      { Healthcheck: { Test: ['NONE'], Interval: 1e9, Retries: 3 } },
      { Healthcheck: { Test: ['NONE'] } },
    ],
    [
      'ports that the image does not expose',
      { ExposedPorts: { '80/tcp': {}, '9/udp': {} } },
      { ExposedPorts: { '9/udp': {} } },
    ],
    ['a MAC address on API 1.41', { MacAddress: '02:00:00:00:00:07' }, { MacAddress: '02:00:00:00:00:07' }],
    ['a host name that was asked for', { Hostname: 'h' }, { Hostname: 'h' }],
  ];
  test.each(rows)('carries %s', (_what, config, expected) => {
    expect(sent(config)).toEqual({ Image: 'app:1', ...expected });
  });

  test('a bound port is exposed even if it was the old image that exposed it', () => {
    const container = sampleContainer({ host: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } });
    expect(buildReplacement(sampleInput(container)).create.ExposedPorts).toEqual({ '80/tcp': {} });
  });

  test.each([
    ['the container shares a network', { NetworkMode: 'container:x' }, 'h'],
    ['it shares the host name of the machine', { UTSMode: 'host' }, 'h'],
    ['it is the machine on the host network', { NetworkMode: 'host' }, 'machine'],
    ['it is the short id', {}, oldId.slice(0, 12)],
  ])('the host name is left out where %s', (_why, host, Hostname) => {
    const container = sampleContainer({ host, config: { Hostname } });
    expect(buildReplacement(sampleInput(container)).create.Hostname).toBeUndefined();
  });

  test('a host name of its own stays on the host network', () => {
    const container = sampleContainer({ host: { NetworkMode: 'host' }, config: { Hostname: 'h' } });
    expect(buildReplacement(sampleInput(container)).create.Hostname).toBe('h');
  });

  test('nothing is exposed and no MAC address is sent with the network of another container', () => {
    const config = { ExposedPorts: { '9/udp': {} }, MacAddress: '02:00:00:00:00:07' };
    const { create } = buildReplacement(
      sampleInput(sampleContainer({ config, host: { NetworkMode: 'container:x' }, networks: {} })),
    );
    expect([create.ExposedPorts, create.MacAddress]).toEqual([undefined, undefined]);
  });

  test('an interval without a test is reported where the new image has no health check', () => {
    const { Healthcheck: _none, ...config } = imageV2;
    const own = { Healthcheck: { ...imageV1.Healthcheck, Interval: 9e9 } };
    const container = sampleContainer({ config: own });
    const codes = (newImage = sampleImage(imageV2)) =>
      buildReplacement(sampleInput(container, { newImage })).warnings.map(({ code }) => code);
    expect(codes(sampleImage(config))).toEqual(['healthcheck-without-test']);
    expect(codes(sampleImage({ ...config, Healthcheck: { Test: ['NONE'] } }))).toEqual(['healthcheck-without-test']);
    expect(codes()).toEqual([]);
  });

  describe('labels of Compose', () => {
    const Labels = { 'com.docker.compose.project': 'p', 'com.docker.compose.image': 'sha256:old' };
    const newId = sampleInput().newImage.Id;

    test('the image label follows the image and replace names the container', () => {
      expect(sent({ Labels }).Labels).toEqual({
        'com.docker.compose.project': 'p',
        'com.docker.compose.image': newId,
        'com.docker.compose.replace': 'web',
      });
    });

    test('an image label that Compose did not set is not invented, nor are labels for others', () => {
      expect(sent({ Labels: { 'com.docker.compose.project': 'p' } }).Labels).not.toHaveProperty(
        'com.docker.compose.image',
      );
      expect(sent({ Labels: { 'com.docker.compose.image': 'x' } }).Labels).toEqual({ 'com.docker.compose.image': 'x' });
    });
  });
});

const word = fc.stringMatching(/^[a-z]{1,6}$/);
const anyImage = fc.record({
  Env: fc.uniqueArray(word, { maxLength: 3 }).map((names) => names.map((name) => `${name}=1`)),
  Cmd: fc.array(word, { maxLength: 2 }),
  Entrypoint: fc.array(word, { maxLength: 2 }),
  Labels: fc.dictionary(word, word, { maxKeys: 3 }),
  WorkingDir: fc.constantFrom('', '/a', '/b'),
  User: fc.constantFrom('', '33'),
  StopSignal: fc.constantFrom('', 'SIGINT'),
  ExposedPorts: fc.dictionary(fc.constantFrom('1/tcp', '2/tcp'), fc.constant({})),
  Volumes: fc.dictionary(fc.constantFrom('/data', '/more'), fc.constant({})),
  Healthcheck: fc.option(fc.record({ Test: fc.constant(['CMD', 'x']), Interval: fc.constantFrom(1e9, 2e9) }), {
    nil: null,
  }),
});

describe('for any image', () => {
  test('a container with exactly its settings sends nothing of them', () => {
    fc.assert(
      fc.property(anyImage, anyImage, (one, two) => {
        const container = { ...sampleContainer(), Config: { ...one, Image: 'app:1', Hostname: oldId.slice(0, 12) } };
        const input = sampleInput(container, { oldImage: sampleImage(one), newImage: sampleImage(two) });
        const { HostConfig: _host, NetworkingConfig: _networks, ...config } = buildReplacement(input).create;
        expect(config).toEqual({ Image: 'app:1' });
      }),
    );
  });

  test('what the user set beside one image is set beside another, and once more after that', () => {
    fc.assert(
      fc.property(anyImage, anyImage, anyImage, (one, two, user) => {
        const first = sampleImage(one);
        const second = sampleImage(two);
        const asked = buildReplacement(
          sampleInput(
            { ...sampleContainer(), Config: { ...user, Image: 'app:1' } },
            { oldImage: sampleImage({}), newImage: first },
          ),
        );
        const container = created(asked, first, oldId);
        const spec = buildReplacement(sampleInput(container, { oldImage: first, newImage: second }));
        const again = buildReplacement(sampleInput(created(spec, second), { oldImage: second, newImage: second }));
        expect(again.create.Env ?? []).toEqual((spec.create.Env ?? []).filter((entry) => !two.Env.includes(entry)));
        // The order of variables means nothing: one that the image has too is not sent and comes after the user's.
        const settled = ({ Env, ...config }: ContainerConfig) => ({ ...config, Env: [...(Env ?? [])].sort() });
        expect(settled(created(again, second, oldId).Config)).toEqual(settled(created(spec, second, oldId).Config));
      }),
    );
  });
});
