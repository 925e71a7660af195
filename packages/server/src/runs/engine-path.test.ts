import { expect, test } from 'vitest';
import { carriesEngine } from './engine-path.ts';
import { inspectOf } from './members-for-tests.ts';

const proxy = inspectOf('socket-proxy', {
  HostConfig: { PortBindings: { '2375/tcp': [{ HostIp: '127.0.0.1', HostPort: '2375' }] } },
  NetworkSettings: { Networks: { infra: { Aliases: ['proxy'], IPAddress: '172.30.0.2' } } },
});

test.each([
  'tcp://socket-proxy:2375',
  'tcp://proxy:2375',
  'tcp://172.30.0.2:2375',
  'tcp://127.0.0.1:2375',
  'http://localhost:2375',
])('%s leads through the container', (endpoint) => {
  expect(carriesEngine(endpoint, proxy)).toBe(true);
});

test.each(['unix:///var/run/docker.sock', 'tcp://other:2375', 'tcp://127.0.0.1:2376', 'tcp://172.30.0.3:2375'])(
  '%s does not',
  (endpoint) => {
    expect(carriesEngine(endpoint, proxy)).toBe(false);
  },
);
