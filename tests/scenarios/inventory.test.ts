import type { Container, Host } from '@evenkeel/contract';
import {
  type EngineProxy,
  images,
  loadImage,
  sharedEngine,
  startEngine,
  startEngineProxy,
  type TestEngine,
  waitFor,
} from '@evenkeel/testbed';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createContainers } from '../../packages/server/src/containers/index.ts';
import { createHosts, type Hosts } from '../../packages/server/src/hosts/index.ts';
import { systemClock } from '../../packages/server/src/platform/clock.ts';
import { createEngine } from '../../packages/server/src/platform/engine/create-engine.ts';

const log = pino({ level: 'silent' });
/** `own` may be killed and is reached through a proxy; `other` shows that one host does not disturb another. */
let own: TestEngine;
let other: TestEngine;
let proxy: EngineProxy;
let hosts: Hosts;
let containers: ReturnType<typeof createContainers>;
const online: string[] = [];

beforeAll(async () => {
  [own, other] = await Promise.all([startEngine(), sharedEngine()]);
  proxy = await startEngineProxy(own);
  await loadImage(own, await images.sleeper(), 'local/app:1');
  await loadImage(own, await images.healthyLate({ seconds: 1 }), 'local/late:1');
  await own.docker('run', '-d', '--name', 'before', '--label', 'com.docker.compose.project=shop', 'local/app:1');
  hosts = createHosts({
    configured: [
      { id: 'own', name: 'own', endpoint: proxy.url },
      { id: 'other', name: 'other', endpoint: other.url },
    ],
    engineFor: ({ endpoint }) => createEngine({ endpoint, log }),
    clock: systemClock,
    log,
    times: {
      firstWaitMilliseconds: 50,
      longestWaitMilliseconds: 400,
      heartbeatMilliseconds: 300,
      pingMilliseconds: 5000,
    },
  });
  hosts.onOnline((host) => online.push(host));
  containers = createContainers({ hosts });
  await waitFor(() => host('own').state === 'online' && host('other').state === 'online', { timeoutMs: 60_000 });
});

afterAll(async () => {
  await hosts.close();
  await proxy.stop();
  await own.stop();
  await other.stop();
});

function host(id: string): Host {
  const found = hosts.collection.get(id);
  if (found === undefined) throw new Error(`no host ${id}`);
  return found;
}

function named(name: string): Container | undefined {
  return [...containers.collection.values()].find((container) => container.host === 'own' && container.name === name);
}

const until = (describe: string, condition: () => unknown) => waitFor(condition, { describe, timeoutMs: 60_000 });

describe('a watched host', () => {
  test('shows the containers that were there before it', () => {
    expect(named('before')).toMatchObject({ host: 'own', state: 'running', stack: 'shop', stale: false });
    expect(host('own')).toMatchObject({ containers: 1, running: 1, apiVersion: '1.41', reason: null });
    expect(host('own').listedAt).not.toBeNull();
  });

  test('shows what the docker command line does, as it happens', async () => {
    const deltas: string[] = [];
    const stop = containers.collection.subscribe(({ changes }) => deltas.push(...changes.map(({ op }) => op)));
    await own.docker('run', '-d', '--name', 'web', 'local/app:1');
    await until('web to run', () => named('web')?.state === 'running');
    await own.docker('rename', 'web', 'front');
    await until('the new name', () => named('front') !== undefined && named('web') === undefined);
    await own.docker('update', '--restart', 'always', 'front');
    await until('the policy', () => named('front')?.restartPolicy === 'always');
    await own.docker('network', 'create', 'extra');
    await own.docker('network', 'connect', 'extra', 'front');
    await until('the network', () => named('front')?.networks.some(({ name }) => name === 'extra'));
    await own.docker('network', 'disconnect', 'extra', 'front');
    await until('the network to go', () => named('front')?.networks.every(({ name }) => name !== 'extra'));
    await own.docker('pause', 'front');
    await until('the pause', () => named('front')?.state === 'paused');
    await own.docker('unpause', 'front');
    await own.docker('stop', 'front');
    await until('the end', () => named('front')?.state === 'exited');
    await own.docker('rm', 'front');
    await until('the removal', () => named('front') === undefined);
    stop();
    expect(deltas).toContain('put');
    expect(deltas.at(-1)).toBe('remove');
    await until('the count', () => host('own').containers === 1 && host('own').running === 1);
    expect(host('own').eventLagMilliseconds).toBeGreaterThanOrEqual(0);
  });

  test('shows health as it changes', async () => {
    const seen = new Set<string | undefined>();
    const stop = containers.collection.subscribe(() => seen.add(named('late')?.health));
    await own.docker('run', '-d', '--name', 'late', 'local/late:1');
    await until('health', () => named('late')?.health === 'healthy');
    stop();
    expect(seen).toContain('starting');
    await own.docker('rm', '-f', 'late');
    await until('the removal', () => named('late') === undefined);
  });

  test('a container that comes and goes in one breath leaves nothing', async () => {
    for (let count = 0; count < 3; count++) await own.docker('run', '--rm', 'local/app:1', 'true');
    await own.docker('run', '-d', '--name', 'last', 'local/app:1');
    await until('the last one', () => named('last')?.state === 'running');
    await own.docker('rm', '-f', 'last');
    await until('one container', () => host('own').containers === 1 && hosts.picture('own').containers.size === 1);
  });

  test('is read without a call to its engine', async () => {
    const changes = () => proxy.calls.filter((call) => !call.startsWith('GET /_ping')).length;
    const before = changes();
    for (let count = 0; count < 100; count++) {
      expect([...containers.collection.values()].length).toBeGreaterThan(0);
      expect(containers.find('own', 'before').container.name).toBe('before');
    }
    const pings = () => proxy.calls.filter((call) => call.startsWith('GET /_ping')).length;
    const seen = pings();
    await until('a heartbeat', () => pings() > seen);
    expect(changes()).toBe(before);
  });

  test('finds a container by its name, its id and the beginning of its id', () => {
    const id = named('before')?.id ?? '';
    for (const handle of ['before', id, id.slice(0, 12)]) expect(containers.find('own', handle).container.id).toBe(id);
    expect(() => containers.find('own', id.slice(0, 11))).toThrow(expect.objectContaining({ code: 'not_found' }));
    expect(() => containers.find('nowhere', 'before')).toThrow(expect.objectContaining({ code: 'not_found' }));
  });
});

describe('a container that its engine cannot show', () => {
  const failing = /^GET \/containers\/[0-9a-f]{64}\/json$/;
  afterEach(() => proxy.clear());

  test('leaves its host online and the others fresh, is marked stale, and is seen again by itself', async () => {
    const id = await own.docker('run', '-d', '--name', 'odd', 'local/app:1');
    await until('odd', () => named('odd')?.state === 'running');
    proxy.refuse(new RegExp(`^GET /containers/${id}/json$`), 500, 'readlink /var/lib/docker: input/output error');
    const connected = online.filter((host) => host === 'own').length;
    proxy.cutConnections();
    await until('a new connection', () => online.filter((host) => host === 'own').length === connected + 1);
    expect(host('own')).toMatchObject({ state: 'online', reason: null });
    expect(named('odd')).toMatchObject({ state: 'running', stale: true });
    expect(named('before')).toMatchObject({ state: 'running', stale: false });
    await own.docker('rename', 'odd', 'even');
    expect(host('own').state).toBe('online');
    proxy.clear();
    await until('it to be seen again', () => named('even')?.stale === false);
    await own.docker('rm', '-f', 'even');
    await until('even to go', () => named('even') === undefined);
  });

  test('right after an event is asked for again, not only with the next listing', async () => {
    proxy.refuse(failing, 500, 'try again', { times: 2 });
    await own.docker('run', '-d', '--name', 'again', 'local/app:1');
    await until('again', () => named('again')?.state === 'running' && named('again')?.stale === false);
    await own.docker('rm', '-f', 'again');
    await until('again to go', () => named('again') === undefined);
  });
});

test('what the docker command line does to images is told', async () => {
  const told: string[] = [];
  const stop = hosts.onImages((id) => told.push(id));
  await own.docker('tag', 'local/app:1', 'local/app:renamed');
  await until('the tag', () => told.length === 1);
  await own.docker('rmi', 'local/app:renamed');
  await until('the removal', () => told.length === 2);
  stop();
  expect(told).toEqual(['own', 'own']);
});

describe('a host that goes away', () => {
  test('keeps its last picture, marked stale, and learns what it missed', async () => {
    await own.docker('run', '-d', '--name', 'doomed', 'local/app:1');
    await until('doomed', () => named('doomed')?.state === 'running');
    const connected = online.filter((id) => id === 'own').length;
    proxy.down();
    await until('unreachable', () => host('own').state === 'unreachable');
    expect(named('doomed')).toMatchObject({ state: 'running', stale: true });
    expect(hosts.picture('own').stale).toBe(true);
    expect(host('own').reason).toMatch(/\w{3,}.*\.$/);
    await own.docker('rm', '-f', 'doomed');
    await own.docker('run', '-d', '--name', 'missed', 'local/app:1');
    expect(named('missed')).toBeUndefined();
    proxy.up();
    await until('online', () => host('own').state === 'online');
    expect(named('doomed')).toBeUndefined();
    expect(named('missed')).toMatchObject({ state: 'running', stale: false });
    expect(named('before')?.stale).toBe(false);
    expect(online.filter((id) => id === 'own').length).toBe(connected + 1);
    expect(host('own').reason).toBeNull();
    await own.docker('rm', '-f', 'missed');
    await until('missed to go', () => named('missed') === undefined);
  });

  test('comes back after its daemon was killed and started again', async () => {
    const connected = online.filter((id) => id === 'own').length;
    await own.kill();
    await until('unreachable', () => host('own').state === 'unreachable');
    expect(named('before')).toMatchObject({ stale: true });
    expect(host('other').state).toBe('online');
    await own.start();
    await until('online', () => host('own').state === 'online');
    expect(online.filter((id) => id === 'own').length).toBe(connected + 1);
    await until('a fresh picture', () => named('before')?.stale === false);
    await own.docker('run', '-d', '--name', 'after', 'local/app:1');
    await until('events to flow again', () => named('after')?.state === 'running');
    await own.docker('rm', '-f', 'after');
  });

  test('is noticed when its engine hangs, while the other host goes on', async () => {
    own.pause();
    try {
      await until('unreachable', () => host('own').state === 'unreachable');
      expect(host('own').reason).toContain('does not answer');
      expect(named('before')).toMatchObject({ stale: true });
      expect(host('other').state).toBe('online');
      const seen = host('other').lastSeenAt ?? '';
      await until('a heartbeat of the other', () => (host('other').lastSeenAt ?? '') > seen);
    } finally {
      own.resume();
    }
    await until('online', () => host('own').state === 'online');
    expect(named('before')?.stale).toBe(false);
  });
});

test('a host whose engine is nowhere says where it was looked for, and is not an empty host that is well', async () => {
  const hint = 'Looked for a Docker Engine at unix:///nowhere/docker.sock. Start Docker.';
  const lost = createHosts({
    configured: [{ id: 'local', name: 'local', endpoint: 'unix:///nowhere/docker.sock', hint }],
    engineFor: ({ endpoint }) => createEngine({ endpoint, log }),
    clock: systemClock,
    log,
  });
  await until('the reason', () => lost.collection.get('local')?.state === 'unreachable');
  expect(lost.collection.get('local')).toMatchObject({ reason: hint, containers: 0, listedAt: null });
  expect(lost.picture('local').stale).toBe(true);
  expect(() => lost.engine('elsewhere')).toThrow(expect.objectContaining({ code: 'not_found' }));
  await lost.close();
});
