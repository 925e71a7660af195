import { describe, expect, test } from 'vitest';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { inspectOf } from './members-for-tests.ts';
import { handoverRefusals, helperSpec, type OwnSite } from './spec-handover.ts';

const mount = (Destination: string, Type = 'volume') => ({ Type, Source: '/somewhere', Destination, RW: true });
const inCompose = inspectOf('evenkeel', { Mounts: [mount('/data'), mount('/var/run/docker.sock', 'bind')] });
const usual: OwnSite = {
  home: { dataDir: '/data', keyFile: undefined },
  endpoint: 'unix:///var/run/docker.sock',
  dependants: [],
  injected: [],
};

describe('our own container is updated', () => {
  const fits: [string, ContainerInspect, Partial<OwnSite>][] = [
    ['as in compose.yaml', inCompose, {}],
    ['with the data below a volume', inCompose, { home: { dataDir: '/data/evenkeel', keyFile: undefined } }],
    ['with a socket at the other end of the usual link', inCompose, { endpoint: 'unix:///run/docker.sock' }],
    ['with the key beside the data', inCompose, { home: { dataDir: '/data', keyFile: '/data/key' } }],
    [
      'with a key that Compose placed',
      inCompose,
      { home: { dataDir: '/data', keyFile: '/run/secrets/key' }, injected: ['/run/secrets/key'] },
    ],
    ['over TCP', inspectOf('evenkeel', { Mounts: [mount('/data')] }), { endpoint: 'tcp://proxy:2375' }],
  ];
  test.each(fits)('%s', (_, container, more) => {
    expect(handoverRefusals(container, { ...usual, ...more })).toEqual([]);
  });

  const refused: [string, ContainerInspect, Partial<OwnSite>, RegExp][] = [
    [
      'with its data in the container',
      inCompose,
      { home: { dataDir: '/database', keyFile: undefined } },
      /data folder/,
    ],
    ['with its key in the container', inCompose, { home: { dataDir: '/data', keyFile: '/etc/key' } }, /key file/],
    ['with data in memory', inspectOf('evenkeel', { Mounts: [mount('/data', 'tmpfs')] }), {}, /data folder/],
    ['without the socket', inspectOf('evenkeel', { Mounts: [mount('/data')] }), {}, /socket/],
    ['with --rm', { ...inCompose, HostConfig: { AutoRemove: true } }, {}, /--rm/],
    ['with one that depends on it', inCompose, { dependants: ['side'] }, /side would have to be stopped/],
  ];
  test.each(refused)('not %s', (_, container, more, reason) => {
    const found = handoverRefusals(container, { ...usual, ...more });
    expect(found[0]).toMatchObject({ code: 'self', text: expect.stringMatching(reason) });
    expect(found[0]?.remedy).toContain('docker compose pull');
  });
});

test('the helper has the data and the networks, and nothing by which others find it', () => {
  const container = inspectOf('evenkeel', { Config: { Image: 'evenkeel', Cmd: ['--log-level', 'debug'] } });
  const restored = {
    create: {
      Image: 'sha256:old',
      User: '1000',
      Env: ['EVENKEEL_PORT=9000'],
      ExposedPorts: { '9000/tcp': {} },
      Labels: { 'com.docker.compose.service': 'evenkeel', 'traefik.enable': 'true' },
      HostConfig: {
        Binds: ['data:/data'],
        ReadonlyRootfs: true,
        PortBindings: { '9000/tcp': [{ HostPort: '9000' }] },
        PublishAllPorts: true,
        RestartPolicy: { Name: 'no' },
      },
      NetworkingConfig: {
        EndpointsConfig: { front: { Aliases: ['evenkeel'], IPAMConfig: { IPv4Address: '10.0.0.9' } } },
      },
    },
    platform: undefined,
    connects: [{ network: 'back', endpoint: { Aliases: ['evenkeel'] } }],
    warnings: [],
    losses: [],
  };
  const { create, connects } = helperSpec(restored, container, 'op');
  expect(create).toEqual({
    Image: 'sha256:old',
    User: '1000',
    Env: ['EVENKEEL_PORT=9000'],
    Cmd: ['--log-level', 'debug', 'take-over', 'op'],
    Labels: { 'evenkeel.watch': 'false' },
    Healthcheck: { Test: ['NONE'] },
    HostConfig: { Binds: ['data:/data'], ReadonlyRootfs: true, RestartPolicy: { Name: 'always' } },
    NetworkingConfig: { EndpointsConfig: { front: {} } },
  });
  expect(connects).toEqual([{ network: 'back', endpoint: {} }]);
});
