import { images, reserveSubnet, type Subnet, startEngineProxy } from '@evenkeel/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareVersions } from '../../packages/server/src/platform/engine/api-version.ts';
import type { ContainerInspect } from '../../packages/server/src/platform/engine/engine-types.ts';
import { offer } from './offer.ts';
import { type Replaced, type Replacing, startReplacing } from './replace.ts';
import { startRunBench } from './run-bench.ts';

let replacing: Replacing;
let replaced: Map<string, Replaced>;
let front: Subnet;
let back: Subnet;

beforeAll(async () => {
  replacing = await startReplacing();
  const { docker, image, name } = replacing;
  [front, back] = [reserveSubnet(docker), reserveSubnet(docker)];
  await docker.docker('network', 'create', '--subnet', front.cidr, name('front'));
  await docker.docker('network', 'create', '--subnet', back.cidr, name('back'));
  const onFront = ['--network', name('front')];
  const containers: Readonly<Record<string, readonly string[]>> = {
    F17: [...onFront, '--network-alias', 'web'],
    F18: [...onFront, '--ip', front.address(18)],
    F19: [...onFront, '--network-alias', 'nineteen', '--ip', front.address(19)],
    F20: [],
    'F20-left': [],
    F21: ['--no-healthcheck', '--network', 'host', '--entrypoint', 'sleeper'],
    F22: ['--network', 'none'],
    'F23-owner': [...onFront, '--network-alias', 'owner'],
    'F24-owner': ['--ipc', 'shareable'],
  };
  await Promise.all(
    Object.entries(containers).map(([part, options]) =>
      docker.docker('run', '-d', '--name', name(part), ...options, image),
    ),
  );
  await createWithMac();
  const sleeping = ['--no-healthcheck', '--entrypoint', 'sleeper', image];
  await Promise.all([
    docker.docker('network', 'connect', '--alias', 'behind', '--ip', back.address(19), name('back'), name('F19')),
    docker.docker('network', 'connect', '--alias', 'later', name('back'), name('F20')),
    docker.docker('network', 'connect', name('back'), name('F20-left')),
    docker.docker('run', '-d', '--name', name('F23'), '--network', `container:${name('F23-owner')}`, ...sleeping),
    docker.docker(
      'run',
      '-d',
      '--name',
      name('F24'),
      '--pid',
      `container:${name('F24-owner')}`,
      '--ipc',
      `container:${name('F24-owner')}`,
      ...sleeping,
    ),
  ]);
  await docker.docker('network', 'disconnect', 'bridge', name('F20-left'));
  replaced = await replacing.update([...Object.keys(containers), 'mac']);
}, 600_000);
afterAll(() => replacing.stop());

const mac = '02:42:00:00:00:77';

/** The command line of later versions refuses to ask an engine of API 1.41 for a MAC address, which knows only its old place. */
async function createWithMac(): Promise<void> {
  const { docker, engine, image, name } = replacing;
  const old = Number((await engine.apiVersion()).split('.')[1]) < 44;
  const network = name('front');
  const body = {
    Image: image,
    ...(old ? { MacAddress: mac } : {}),
    HostConfig: { NetworkMode: network },
    NetworkingConfig: { EndpointsConfig: { [network]: old ? {} : { MacAddress: mac } } },
  };
  const { status, text } = await docker.request('POST', `/containers/create?name=${name('mac')}`, body);
  expect(status, text).toBe(201);
  await docker.docker('start', name('mac'));
}

/** The committed replacement of a container. */
function both(part: string): Replaced {
  const found = replaced.get(part);
  expect(found?.refusal).toBeUndefined();
  expect(found?.run).toMatchObject({ state: 'committed', reason: null });
  expect(found?.after.Id).not.toBe(found?.before.Id);
  if (found === undefined) throw new Error(`${part} was not updated.`);
  return found;
}

/** What was asked for on each network, without the short id that the engine adds. */
function asked({ Id, NetworkSettings: { Networks } }: ContainerInspect) {
  return Object.fromEntries(
    Object.entries(Networks).map(([name, { Aliases, IPAMConfig }]) => {
      const aliases = (Aliases ?? []).filter((alias) => alias !== Id.slice(0, 12));
      return [name, { aliases, address: IPAMConfig?.IPv4Address }];
    }),
  );
}

test('F17: after three updates the aliases are those of the user, and no old short id resolves', async () => {
  const ids = [both('F17').before.Id, both('F17').after.Id];
  for (const version of [1, 2] as const) {
    const again = await replacing.updateOne('F17', { image: await images.fidelity(version) });
    expect(again.run).toMatchObject({ state: 'committed' });
    ids.push(again.after.Id);
  }
  const now = await replacing.inspect('F17');
  expect(new Set(ids).size).toBe(4);
  expect(now.NetworkSettings.Networks[replacing.name('front')]?.Aliases).toEqual(['web', now.Id.slice(0, 12)]);
  const resolve = (word: string) => replacing.docker.cli('exec', replacing.name('F18'), 'nslookup', word, '127.0.0.11');
  expect((await resolve('web')).stdout).toContain(now.NetworkSettings.Networks[replacing.name('front')]?.IPAddress);
  for (const id of ids.slice(0, -1)) expect((await resolve(id.slice(0, 12))).exitCode, id).not.toBe(0);
});

test('F18: a static address stays', () => {
  const { after } = both('F18');
  expect(after.NetworkSettings.Networks[replacing.name('front')]?.IPAddress).toBe(front.address(18));
});

test('F19: on two networks alias and address of each stay', async () => {
  const { before, after } = both('F19');
  expect(asked(after)).toEqual(asked(before));
  expect(asked(after)).toEqual({
    [replacing.name('front')]: { aliases: ['nineteen'], address: front.address(19) },
    [replacing.name('back')]: { aliases: ['behind'], address: back.address(19) },
  });
});

/**
 * The same through one version of the API: below 1.44 one network goes with the create and the others are connected, from 1.44 on
 * all go with the create. An engine that offers no version is spoken to in the oldest.
 */
test.for([
  ['1.41', true],
  ['1.44', false],
] as const)(
  'F19: over API %s both networks stay, and nothing is connected that could go with the create',
  async ([version, oldest], context) => {
    const { docker, registry, image, name } = replacing;
    const { ApiVersion, MinAPIVersion = '1.12' } = await replacing.engine.version();
    const spoken = oldest ? version : ApiVersion;
    const offered = compareVersions(MinAPIVersion, spoken) <= 0 && compareVersions(ApiVersion, version) >= 0;
    context.skip(!offered, `The engine offers ${MinAPIVersion} to ${ApiVersion}.`);
    const part = `F19-${version}`;
    const networks = [
      '--network',
      name('front'),
      '--network-alias',
      'nineteen',
      '--ip',
      front.address(oldest ? 41 : 44),
    ];
    await docker.docker('run', '-d', '--name', name(part), ...networks, '--no-healthcheck', image, 'sleeper');
    await docker.docker('network', 'connect', '--alias', 'behind', name('back'), name(part));
    const before = await replacing.inspect(part);
    const proxy = await startEngineProxy(docker);
    if (oldest) proxy.refuse(/_ping/, 200, 'OK');
    const bench = await startRunBench({ endpoint: proxy.url });
    try {
      const repository = image.slice(image.lastIndexOf('/') + 1, image.lastIndexOf(':'));
      await offer(bench, registry, name(part), repository, await images.fidelity(2, { labels: { over: version } }));
      expect(await bench.update(name(part))).toMatchObject({ state: 'committed', reason: null });
      if (oldest) expect(await bench.engine.apiVersion()).toBe(version);
    } finally {
      await bench.stop();
      await proxy.stop();
    }
    expect(asked(await replacing.inspect(part))).toEqual(asked(before));
    expect(proxy.calls.filter((call) => /POST \/networks\/.*\/connect/.test(call)).length).toBe(oldest ? 1 : 0);
  },
);

test('F20: a network that was connected later stays, one that was left does not come back', () => {
  expect(asked(both('F20').after)).toEqual({
    bridge: { aliases: [], address: undefined },
    [replacing.name('back')]: { aliases: ['later'], address: undefined },
  });
  expect(Object.keys(both('F20-left').after.NetworkSettings.Networks)).toEqual([replacing.name('back')]);
});

test('F21: a container on the network of the machine stays there and runs', () => {
  const { after } = both('F21');
  expect(after.HostConfig.NetworkMode).toBe('host');
  expect(after.State.Running).toBe(true);
});

test('F22: a container without a network has none', () => {
  expect(Object.keys(both('F22').after.NetworkSettings.Networks)).toEqual(['none']);
});

test('F23: a container that shares the network of another one gets that of its replacement', async () => {
  const owner = both('F23-owner').after;
  const shared = await replacing.inspect('F23');
  expect(shared.State.Running).toBe(true);
  expect(shared.HostConfig.NetworkMode).toBe(`container:${owner.Id}`);
  const address = owner.NetworkSettings.Networks[replacing.name('front')]?.IPAddress;
  expect(await replacing.exec('F23', 'ip', 'address')).toContain(`inet ${address}/`);
  expect(await replacing.exec('F23', 'wget', '-q', '-O', '-', 'http://127.0.0.1:81/')).toBe('version 2');
});

test('F24: processes and IPC of another container are those of its replacement', async () => {
  const owner = both('F24-owner').after;
  const shared = await replacing.inspect('F24');
  expect(shared.State.Running).toBe(true);
  expect(shared.HostConfig).toMatchObject({ PidMode: `container:${owner.Id}`, IpcMode: `container:${owner.Id}` });
  expect(await replacing.exec('F24', 'ps')).toContain('listens 2');
});

test('a MAC address of the user stays', async () => {
  both('mac');
  expect(await replacing.exec('mac', 'ip', 'link')).toContain(mac);
});
