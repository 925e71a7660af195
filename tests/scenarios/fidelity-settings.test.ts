import { waitFor } from '@evenkeel/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from './free-port.ts';
import { type Replaced, type Replacing, startReplacing } from './replace.ts';

/** Options and command of each container. What does not disturb each other shares one. */
const containers: Readonly<Record<string, readonly [options: string, command?: string]>> = {
  plain: [''],
  own: [
    '-e A=9 -e NEW=x --label a=b --health-interval 9s --stop-signal SIGINT --stop-timeout 7 --hostname h --domainname d',
  ],
  command: ['--no-healthcheck -p 127.0.0.1:PORT:80', 'serve 80 always'],
  entrypoint: ['--no-healthcheck --entrypoint /bin/sh', '-c sleeper'],
  user: ['-u 33 -w /tmp -p 80 -P'],
  limits: [
    '--cpus 0.5 --memory 64m --memory-swap 96m --pids-limit 50 --ulimit nofile=100:200 --sysctl net.ipv4.ip_unprivileged_port_start=0 --restart on-failure:3',
  ],
  rights: [
    '--cap-add NET_BIND_SERVICE --cap-drop MKNOD --device /dev/null:/dev/x --group-add 29 --security-opt no-new-privileges --read-only --init --shm-size 16m --log-driver json-file --log-opt max-size=1m',
  ],
  unconfined: ['--no-healthcheck --security-opt systempaths=unconfined --restart always', 'sleeper'],
  unless: ['--no-healthcheck --restart unless-stopped', 'sleeper'],
  changed: ['--no-healthcheck --restart always', 'sleeper'],
};

const words = (text: string) => text.split(' ').filter((word) => word !== '');

let replacing: Replacing;
let port: number;
let replaced: Map<string, Replaced>;

beforeAll(async () => {
  replacing = await startReplacing();
  const { docker, image, name } = replacing;
  port = await freePort();
  await Promise.all(
    Object.entries(containers).map(([part, [options, command = '']]) => {
      const filled = words(options.replace('PORT', `${port}`));
      return docker.docker('run', '-d', '--name', name(part), ...filled, image, ...words(command));
    }),
  );
  // Where privileged containers may not run, they can still be made: what counts here is what is stored.
  await docker.docker('create', '--name', name('privileged'), '--privileged', image);
  await docker.docker('update', '--restart', 'on-failure:5', name('changed'));
  replaced = await replacing.update([...Object.keys(containers), 'privileged']);
}, 600_000);
afterAll(() => replacing.stop());

/** The committed replacement of a container. */
function both(part: string): Replaced {
  const found = replaced.get(part);
  expect(found?.refusal).toBeUndefined();
  expect(found?.run).toMatchObject({ state: 'committed', reason: null });
  expect(found?.after.Id).not.toBe(found?.before.Id);
  if (found === undefined) throw new Error(`${part} was not updated.`);
  return found;
}

test('F01: with nothing set, every default is that of version 2 and no trace of version 1 is left', () => {
  const { after } = both('plain');
  expect(after.Config).toMatchObject({
    Image: replacing.image,
    Env: ['PATH=/bin', 'A=2', 'VERSION=2', 'ONLY_V2=yes'],
    Labels: { v: '2', 'only.v2': 'yes', 'org.opencontainers.image.version': '2.0.0' },
    Entrypoint: ['entry-2'],
    Cmd: ['serve', '81'],
    WorkingDir: '/srv/two',
    ExposedPorts: { '81/tcp': {} },
    Hostname: after.Id.slice(0, 12),
  });
  expect(after.Config.Labels).not.toHaveProperty('only.v1');
  expect(after.Config.Healthcheck?.Test?.[1]).toContain(':81/');
  expect(after.State.Running).toBe(true);
});

test('F02: variables of the user stay, the others are those of version 2', () => {
  const env = both('own').after.Config.Env ?? [];
  expect([...env].sort()).toEqual(['A=9', 'NEW=x', 'ONLY_V2=yes', 'PATH=/bin', 'VERSION=2']);
});

test('F03: a label of the user stays, labels of the image are those of version 2', () => {
  expect(both('own').after.Config.Labels).toEqual({
    a: 'b',
    v: '2',
    'only.v2': 'yes',
    'org.opencontainers.image.version': '2.0.0',
  });
});

test('F04: a command of the user stays behind the entrypoint of version 2', () => {
  expect(both('command').after.Config).toMatchObject({ Cmd: ['serve', '80', 'always'], Entrypoint: ['entry-2'] });
});

test('F05: an entrypoint of the user stays with its command', () => {
  const { after } = both('entrypoint');
  expect(after.Config).toMatchObject({ Entrypoint: ['/bin/sh'], Cmd: ['-c', 'sleeper'] });
  expect(after.State.Running).toBe(true);
});

test('F06: user and working folder stay where they were set, and follow the image where they were not', async () => {
  expect(both('user').after.Config).toMatchObject({ User: '33', WorkingDir: '/tmp' });
  expect(await replacing.exec('user', 'id', '-u')).toBe('33');
  expect(both('plain').after.Config).toMatchObject({ User: '', WorkingDir: '/srv/two' });
});

test('F07: an interval of the user stays with test, timeout and retries of version 2', () => {
  const { after } = both('own');
  expect(after.Config.Healthcheck).toMatchObject({ Interval: 9e9, Timeout: 5e9, Retries: 4 });
  expect(after.Config.Healthcheck?.Test?.[1]).toContain(':81/');
});

test('F08: a health check that was taken away stays away', () => {
  const { after } = both('command');
  expect(after.Config.Healthcheck?.Test).toEqual(['NONE']);
  expect(after.State.Health).toBeUndefined();
});

test('F09: stop signal and stop timeout stay', () => {
  expect(both('own').after.Config).toMatchObject({ StopSignal: 'SIGINT', StopTimeout: 7 });
});

test('F16: host name and domain name stay', async () => {
  expect(both('own').after.Config).toMatchObject({ Hostname: 'h', Domainname: 'd' });
  expect(await replacing.exec('own', 'hostname')).toBe('h');
});

test('F25: the same binding answers, though version 2 does not expose the port', async () => {
  expect(both('command').after.HostConfig.PortBindings).toEqual({
    '80/tcp': [{ HostIp: '127.0.0.1', HostPort: `${port}` }],
  });
  const answer = await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/`)).text());
  expect(answer).toBe('version 2\n');
});

test('F26: a port that the engine picked is picked again, and what version 2 exposes is published', async () => {
  const { before, after } = both('user');
  expect(after.HostConfig).toMatchObject({ PublishAllPorts: true, PortBindings: before.HostConfig.PortBindings });
  const ports = after.NetworkSettings.Ports ?? {};
  expect(Object.keys(ports).sort()).toEqual(['80/tcp', '81/tcp']);
  const number = ports['81/tcp']?.[0]?.HostPort;
  expect(await waitFor(async () => (await fetch(`http://127.0.0.1:${number}/`)).text())).toBe('version 2\n');
});

/** Everything in HostConfig but the mounts, which have a file of their own. */
function settings({ HostConfig }: Replaced['after']): Record<string, unknown> {
  const { Mounts: _mounts, ...rest } = HostConfig;
  return rest;
}

test.each([
  ['F27', 'limits'],
  ['F28', 'rights'],
  ['F30', 'rights'],
])('%s: limits, rights and log settings are equal', (_id, part) => {
  const { before, after } = both(part);
  expect(settings(after)).toEqual(settings(before));
});

test('F30: the log settings are what was asked for', () => {
  expect(both('rights').after.HostConfig['LogConfig']).toEqual({ Type: 'json-file', Config: { 'max-size': '1m' } });
});

test('F27: the limits are what was asked for', async () => {
  expect(both('limits').after.HostConfig).toMatchObject({
    NanoCpus: 5e8,
    Memory: 64 * 1024 * 1024,
    MemorySwap: 96 * 1024 * 1024,
    PidsLimit: 50,
    Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
    Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
  });
  // Of the container's own process: what exec starts may have raised its own.
  const limit = await replacing.exec('limits', 'grep', 'Max open files', '/proc/1/limits');
  expect(limit.split(/\s+/).slice(3, 5)).toEqual(['100', '200']);
});

test('F28: the rights are what was asked for', async () => {
  expect(both('rights').after.HostConfig).toMatchObject({ ReadonlyRootfs: true, Init: true, GroupAdd: ['29'] });
  expect((await replacing.exec('rights', 'id', '-G')).split(' ')).toContain('29');
  expect((await replacing.docker.cli('exec', replacing.name('rights'), 'touch', '/etc/x')).stderr).toContain(
    'Read-only',
  );
});

test('F29: privileged and unconfined containers stay so, an ordinary one keeps the masks of the daemon', () => {
  const privileged = both('privileged').after.HostConfig;
  expect(privileged).toMatchObject({ Privileged: true, MaskedPaths: null, ReadonlyPaths: null });
  expect(both('unconfined').after.HostConfig).toMatchObject({ MaskedPaths: [], ReadonlyPaths: [] });
  const { before, after } = both('plain');
  expect(after.HostConfig.MaskedPaths).toEqual(before.HostConfig.MaskedPaths);
  expect(after.HostConfig.MaskedPaths).toContain('/proc/kcore');
});

test.each([
  ['plain', { Name: 'no', MaximumRetryCount: 0 }],
  ['unconfined', { Name: 'always', MaximumRetryCount: 0 }],
  ['unless', { Name: 'unless-stopped', MaximumRetryCount: 0 }],
  ['limits', { Name: 'on-failure', MaximumRetryCount: 3 }],
  ['changed', { Name: 'on-failure', MaximumRetryCount: 5 }],
])('F31: the restart policy of the container "%s" is equal', (part, policy) => {
  expect(both(part).after.HostConfig.RestartPolicy).toEqual(policy);
});
