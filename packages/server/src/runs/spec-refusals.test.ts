import { describe, expect, test } from 'vitest';
import { refusalsFor } from './spec-refusals.ts';
import { hexId, imageV1, imageV2, oldId, sampleContainer, sampleImage } from './spec-samples.ts';
import { startFirstObstacles } from './spec-start-first.ts';

const one = sampleImage(imageV1);
const two = sampleImage(imageV2);

describe('refusals', () => {
  test('nothing stands against an ordinary container, running, stopped or restarting', () => {
    for (const Status of ['running', 'exited', 'created', 'restarting']) {
      expect(refusalsFor(sampleContainer({ state: { Status } }), one, two)).toEqual([]);
    }
  });

  test.each<[string, Parameters<typeof refusalsFor>]>([
    ['paused', [sampleContainer({ state: { Status: 'paused', Paused: true } }), one, two]],
    ['removing', [sampleContainer({ state: { Status: 'removing' } }), one, two]],
    ['dead', [sampleContainer({ state: { Status: 'dead', Dead: true } }), one, two]],
    ['swarm-task', [sampleContainer({ config: { Labels: { 'com.docker.swarm.task.id': 'x' } } }), one, two]],
    ['self', [sampleContainer(), one, two, { self: oldId }]],
    ['bare-image-id', [sampleContainer({ config: { Image: one.Id } }), one, two]],
    ['bare-image-id', [sampleContainer({ config: { Image: '111111111111' } }), one, two]],
    ['old-image-missing', [sampleContainer(), undefined, two]],
    ['old-image-missing', [sampleContainer(), sampleImage(null), two]],
    ['platform-mismatch', [sampleContainer(), one, sampleImage(imageV2, { Architecture: 'arm64', Variant: 'v8' })]],
    [
      'namespace-owner-gone',
      [sampleContainer({ host: { NetworkMode: `container:${hexId('e')}` } }), one, two, { existing: new Set() }],
    ],
    [
      'namespace-owner-gone',
      [sampleContainer({ host: { PidMode: `container:${hexId('e')}` } }), one, two, { existing: new Set() }],
    ],
    ['network-gone', [sampleContainer({ networks: { front: {} } }), one, two, { networks: { bridge: {} } }]],
  ])('%s, with a sentence and what to do', (code, parameters) => {
    const found = refusalsFor(...parameters);
    expect(found.map((finding) => finding.code)).toEqual([code]);
    expect(found[0]?.text).toMatch(/web/);
    expect(found[0]?.remedy).not.toBe('');
  });

  test('a name that looks like an id is a name', () => {
    const named = sampleImage(imageV1, { RepoTags: ['1111:latest'] });
    expect(refusalsFor(sampleContainer({ config: { Image: '1111' } }), named, two)).toEqual([]);
    expect(refusalsFor(sampleContainer({ config: { Image: 'cafe' } }), one, two)).toEqual([]);
  });

  test('a namespace of a container that exists or is replaced along is no obstacle', () => {
    const container = sampleContainer({ host: { NetworkMode: `container:${hexId('e')}` }, networks: {} });
    expect(refusalsFor(container, one, two, { existing: new Set([hexId('e')]) })).toEqual([]);
    expect(refusalsFor(container, one, two, { existing: new Set(), replaced: { [hexId('e')]: {} } })).toEqual([]);
  });
});

describe('start-first', () => {
  const obstacles = (parts: Parameters<typeof sampleContainer>[0], dependants: string[] = []) =>
    startFirstObstacles(sampleContainer(parts), { dependants });
  const mount = (Type: string, RW: boolean) => ({ Type, Name: 'v', Source: '/v', Destination: '/data/', RW });

  test('nothing stands in the way of a container on a network of the user', () => {
    const host = { NetworkMode: 'front', PortBindings: { '80/tcp': [{ HostPort: '' }] } };
    expect(obstacles({ host, networks: { front: {} }, mounts: [mount('volume', false)] })).toEqual([]);
  });

  test.each<[string, Parameters<typeof sampleContainer>[0]]>([
    ['network of the host', { host: { NetworkMode: 'host' } }],
    ['network of another container', { host: { NetworkMode: 'container:x' } }],
    ['port 8080', { host: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } }],
    ['address 10.0.0.9', { networks: { front: { IPAMConfig: { IPv4Address: '10.0.0.9' } } } }],
    ['address fd00::9', { networks: { front: { IPAMConfig: { IPv6Address: 'fd00::9' } } } }],
    ['MAC address 02:00:00:00:00:07', { config: { MacAddress: '02:00:00:00:00:07' } }],
    ['write to /data', { mounts: [mount('volume', true)] }],
    ['write to /data', { mounts: [mount('bind', true)] }],
    ['device', { host: { Devices: [{}] } }],
    ['device', { host: { DeviceRequests: [{}] } }],
  ])('%s', (words, parts) => {
    expect(obstacles(parts)).toEqual([expect.stringContaining(words)]);
  });

  test('containers that hang on it', () => {
    expect(obstacles({}, ['sidecar', 'proxy'])).toEqual([expect.stringContaining('sidecar, proxy')]);
  });

  test.each([['/data'], ['/other, /data/'], ['*']])('a mount that is marked as safe is none: %s', (label) => {
    const config = { Labels: { 'evenkeel.start-first.safe-mounts': label } };
    expect(obstacles({ config, mounts: [mount('volume', true)] })).toEqual([]);
  });
});
