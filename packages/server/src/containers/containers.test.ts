import { describe, expect, test } from 'vitest';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { toContainer, toDetail } from './container-map.ts';
import { guessLevel } from './log-level.ts';
import { mask } from './masking.ts';
import { ownContainerId } from './self.ts';

const id = 'a'.repeat(64);
const inspect: ContainerInspect = {
  Id: id,
  Created: '2026-01-01T10:00:00.123456789Z',
  Path: 'httpd',
  Args: [],
  State: {
    Status: 'running',
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-01-01T10:00:01Z',
    FinishedAt: '0001-01-01T00:00:00Z',
    Health: { Status: 'healthy', FailingStreak: 0, Log: null },
  },
  Image: 'sha256:1',
  Name: '/web',
  RestartCount: 2,
  HostConfig: { NetworkMode: 'front', RestartPolicy: { Name: '' }, Memory: 0 },
  Mounts: [
    { Type: 'volume', Name: 'data', Source: '/var/lib/docker/volumes/data/_data', Destination: '/data', RW: false },
  ],
  Config: {
    Image: 'registry.lan:5000/web:1',
    Env: ['PATH=/bin', 'DB_PASSWORD=hunter2', 'DATABASE_URL=postgres://me:hunter2@db/x', 'EMPTY_TOKEN=', 'NOVALUE'],
    Labels: { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' },
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
  },
  NetworkSettings: {
    Networks: { front: { IPAddress: '172.18.0.2' }, back: { IPAddress: '' } },
    Ports: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] },
  },
};
const context = { host: 'local', stale: false, self: undefined };

describe('a container as it is shown', () => {
  test('names its ports, networks, mounts, stack and times', () => {
    expect(toContainer(inspect, context)).toMatchObject({
      key: `local/${id}`,
      name: 'web',
      image: 'registry.lan:5000/web:1',
      state: 'running',
      health: 'healthy',
      startedAt: '2026-01-01T10:00:01.000Z',
      finishedAt: null,
      exitCode: null,
      restartPolicy: 'no',
      ports: [
        { ip: '127.0.0.1', privatePort: 80, publicPort: 8080, protocol: 'tcp' },
        { ip: null, privatePort: 53, publicPort: null, protocol: 'udp' },
      ],
      networks: [
        { name: 'front', ip: '172.18.0.2' },
        { name: 'back', ip: null },
      ],
      mounts: [{ type: 'volume', source: 'data', target: '/data', readOnly: true }],
      stack: 'shop',
      service: 'web',
      self: false,
    });
  });

  test('that has stopped shows its exit code and no health', () => {
    const stopped = { ...inspect, State: { ...inspect.State, Status: 'exited', Running: false, ExitCode: 137 } };
    expect(toContainer(stopped, context)).toMatchObject({ state: 'exited', exitCode: 137, health: 'none' });
  });

  test('never shows secrets of its environment', () => {
    const detail = toDetail(inspect, context);
    expect(JSON.stringify(detail)).not.toContain('hunter2');
    expect(detail.environment).toEqual([
      { name: 'PATH', value: '/bin' },
      { name: 'DB_PASSWORD', value: mask },
      { name: 'DATABASE_URL', value: `postgres://me:${mask}@db/x` },
      { name: 'EMPTY_TOKEN', value: '' },
      { name: 'NOVALUE', value: '' },
    ]);
  });

  test('never shows secrets of its command, its labels, and what its health check says', () => {
    const Log = [{ Start: '2026-01-01T10:00:00Z', ExitCode: 1, Output: 'cannot log in with hunter2 --token=hunter3' }];
    const detail = toDetail(
      {
        ...inspect,
        State: { ...inspect.State, Health: { Status: 'unhealthy', FailingStreak: 1, Log } },
        Config: {
          ...inspect.Config,
          Cmd: ['redis-server', '--requirepass', 'hunter3'],
          Entrypoint: ['sh', '-c', 'start hunter2'],
          Labels: { ...inspect.Config.Labels, 'app.password': 'hunter3', 'app.title': 'Shop' },
        },
      },
      context,
    );
    expect(JSON.stringify(detail)).not.toMatch(/hunter[23]/);
    expect(detail.command).toEqual(['redis-server', '--requirepass', mask]);
    expect(detail.labels).toMatchObject({ 'app.password': mask, 'app.title': 'Shop' });
    expect(detail.healthLog[0]?.output).toBe(`cannot log in with ${mask} --token=${mask}`);
  });

  test('knows itself', () => {
    expect(toContainer(inspect, { ...context, self: id }).self).toBe(true);
  });
});

describe('the level of a line', () => {
  test.each([
    ['{"level":"warn","msg":"x"}', 'warn'],
    ['{"level":50,"msg":"x"}', 'error'],
    ['time=2026 level=error msg="no"', 'error'],
    ['2026-01-01T00:00:00Z [INFO] started', 'info'],
    ['2026-01-01 10:00:00,123 ERROR [main] failed', 'error'],
    ['WARNING: deprecated', 'warn'],
    ['\u001b[31mERROR\u001b[0m failed', 'error'],
    ['<crit> disk', 'fatal'],
    ['GET /error HTTP/1.1 200', null],
    ['an error happened', null],
    ['', null],
  ])('%j is %s', (text, level) => {
    expect(guessLevel(text)).toBe(level);
  });

  test('is found in bounded time on hostile lines', () => {
    expect(guessLevel('['.repeat(100_000))).toBeNull();
    expect(guessLevel(' '.repeat(100_000))).toBeNull();
  });
});

test('the own container is known from the mounts of the process', () => {
  const line = `1 2 0:3 /var/lib/docker/containers/${id}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw`;
  expect(ownContainerId(line)).toBe(id);
  expect(ownContainerId('1 2 0:3 / / rw - ext4 /dev/vda rw')).toBeUndefined();
});
