import { expect, test } from 'vitest';
import type { ContainerInspect, HostConfig } from '../platform/engine/engine-types.ts';
import { inspectOf } from './members-for-tests.ts';
import { couldBeProbed, probeRoutes, type Standpoint } from './probe-route.ts';

type Ports = NonNullable<ContainerInspect['NetworkSettings']['Ports']>;

/** On `front` with an address, with the port published as given. */
function web(published: Ports[string] = null, mode = 'front'): ContainerInspect {
  const Networks = { front: { IPAddress: '172.20.0.5', GlobalIPv6Address: '' } };
  return inspectOf('web', {
    HostConfig: { NetworkMode: mode },
    NetworkSettings: { Networks, Ports: { '80/tcp': published } },
  });
}

const everywhere = [{ HostIp: '0.0.0.0', HostPort: '8080' }];
const loopback = [{ HostIp: '127.0.0.1', HostPort: '8080' }];
const machine: Standpoint = { at: 'machine' };
const beside: Standpoint = { at: 'container', gateways: { front: '172.20.0.1' } };
const apart: Standpoint = { at: 'container', gateways: { own: '172.30.0.1' } };
const remote: Standpoint = { at: 'elsewhere', host: 'nas.lan' };
const unknown: Standpoint = { at: 'elsewhere', host: undefined };

const addresses = (container: ContainerInspect, standpoint: Standpoint) =>
  probeRoutes(container, 80, standpoint).map(({ host, port }) => `${host}:${port}`);

test.each([
  ['on its machine', machine, ['172.20.0.5:80', '127.0.0.1:8080']],
  ['in a container on its network', beside, ['172.20.0.5:80', '172.20.0.1:8080']],
  ['in a container on another network', apart, ['172.30.0.1:8080']],
  ['on another machine', remote, ['nas.lan:8080']],
  ['in a container that this engine does not know', unknown, []],
])('%s the container is asked where it can be reached', (_, standpoint, expected) => {
  expect(addresses(web(everywhere), standpoint)).toEqual(expected);
});

test('a port on the loopback of the machine is asked on that machine only', () => {
  expect(addresses(web(loopback), machine)).toEqual(['172.20.0.5:80', '127.0.0.1:8080']);
  expect(addresses(web(loopback), beside)).toEqual(['172.20.0.5:80']);
  for (const standpoint of [apart, remote]) expect(addresses(web(loopback), standpoint)).toEqual([]);
});

test('a port that is not published cannot be asked from another network', () => {
  for (const standpoint of [apart, remote, unknown]) expect(addresses(web(), standpoint)).toEqual([]);
});

test('on the network of the machine a refused connection is an answer only on that machine', () => {
  const routes = (standpoint: Standpoint) => probeRoutes(web(null, 'host'), 80, standpoint);
  expect(routes(machine)).toEqual([{ host: '127.0.0.1', port: 80, sure: true }]);
  expect(routes(apart)).toEqual([{ host: '172.30.0.1', port: 80, sure: false }]);
  expect(routes(remote)).toEqual([{ host: 'nas.lan', port: 80, sure: false }]);
});

test('a container that has no address yet, because it keeps restarting, can be probed later', () => {
  const at = (host: HostConfig, standpoint: Standpoint, Networks: object = { front: { IPAddress: '' } }) =>
    couldBeProbed(
      inspectOf('web', { HostConfig: host, NetworkSettings: { Networks, Ports: {} } as never }),
      80,
      standpoint,
    );
  const published = { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '' }] } };
  const local = { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] } };
  for (const standpoint of [machine, beside]) expect(at({}, standpoint)).toBe(true);
  for (const standpoint of [apart, remote, unknown]) expect(at({}, standpoint)).toBe(false);
  for (const standpoint of [apart, remote]) expect(at(published, standpoint)).toBe(true);
  for (const standpoint of [apart, remote]) expect(at(local, standpoint)).toBe(false);
  expect(at({ PublishAllPorts: true }, remote)).toBe(true);
  expect(at({ NetworkMode: 'none' }, machine, { none: { IPAddress: '' } })).toBe(false);
});
