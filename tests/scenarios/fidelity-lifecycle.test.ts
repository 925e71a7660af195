import { images, uniqueName, waitFor } from '@evenkeel/testbed';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDetection } from './detection-bench.ts';
import { type Replacing, startReplacing } from './replace.ts';

let replacing: Replacing;

beforeAll(async () => {
  replacing = await startReplacing();
}, 300_000);
afterAll(() => replacing.stop());

const resting = ['--no-healthcheck'];

test('F31: the restart policy is what it was after a rollback too, also one of docker update', async () => {
  const policies = {
    'policy-unless': ['unless-stopped', 'unless-stopped', 0],
    'policy-failure': ['on-failure:3', 'on-failure', 3],
    'policy-changed': ['no', 'on-failure', 5],
  } as const;
  for (const [part, [made]] of Object.entries(policies))
    await replacing.run(part, [...resting, '--restart', made], ['sleeper']);
  await replacing.docker.docker('update', '--restart', 'on-failure:5', replacing.name('policy-changed'));
  const image = await images.exitsAtOnce({ entrypoint: ['exits', '1'] });
  const replaced = await replacing.update(Object.keys(policies), { image });
  for (const [part, [, Name, MaximumRetryCount]] of Object.entries(policies)) {
    const { run, before, after } = replaced.get(part) ?? {};
    expect(run, part).toMatchObject({ state: 'rolled-back' });
    expect(after?.Id, part).toBe(before?.Id);
    expect(after?.State.Running, part).toBe(true);
    expect(after?.HostConfig.RestartPolicy, part).toEqual({ Name, MaximumRetryCount });
  }
}, 300_000);

test('F32: a stopped container is replaced and not started', async () => {
  await replacing.run('stopped', resting, ['sleeper']);
  await replacing.docker.docker('stop', replacing.name('stopped'));
  const { run, before, after } = await replacing.updateOne('stopped');
  expect(run).toMatchObject({ state: 'committed' });
  expect(after.Id).not.toBe(before.Id);
  expect(after.State).toMatchObject({ Status: 'created', Running: false });
  expect(after.Config.WorkingDir).toBe('/srv/two');
});

test('F33: a paused container is refused and untouched', async () => {
  await replacing.run('paused', resting, ['sleeper']);
  await replacing.docker.docker('pause', replacing.name('paused'));
  const { run, refusal, before, after } = await replacing.updateOne('paused');
  expect(run).toBeUndefined();
  expect(refusal).toMatchObject({ code: 'paused', remedy: expect.stringContaining('docker unpause') });
  // The engine gives the mounts in any order.
  const sorted = ({ Mounts, ...rest }: typeof before) => ({
    ...rest,
    Mounts: Mounts.toSorted((one, other) => one.Destination.localeCompare(other.Destination)),
  });
  expect(sorted(after)).toEqual(sorted(before));
  await replacing.docker.docker('unpause', replacing.name('paused'));
});

test('F35: an image by bare id is refused, with what to do', async () => {
  const id = await replacing.docker.docker('image', 'inspect', '-f', '{{.Id}}', replacing.image);
  for (const [part, reference] of [
    ['bare', id],
    ['bare-short', id.slice('sha256:'.length, 'sha256:'.length + 12)],
  ] as const) {
    await replacing.docker.docker('run', '-d', ...resting, '--name', replacing.name(part), reference, 'sleeper');
    const { run, refusal, before, after } = await replacing.updateOne(part);
    expect(run).toBeUndefined();
    expect(refusal).toMatchObject({ code: 'bare-image-id', remedy: expect.stringContaining('repository:tag') });
    expect(after.Id).toBe(before.Id);
  }
});

test('F35: an image by digest is pinned and not updated', async () => {
  const detection = await startDetection(replacing.docker);
  try {
    const digest = await replacing.docker.docker('image', 'inspect', '-f', '{{index .RepoDigests 0}}', replacing.image);
    await replacing.docker.docker('run', '-d', ...resting, '--name', replacing.name('pinned'), digest, 'sleeper');
    const { Id } = await replacing.inspect('pinned');
    const update = await detection.update(replacing.name('pinned'));
    expect(update).toMatchObject({ image: digest, candidates: [] });
    expect(() => detection.updates.choose(update.host, Id, undefined)).toThrow('is pinned by digest');
  } finally {
    await detection.stop();
  }
});

/** Labels as Compose sets them. */
function composed(project: string, service: string, more: Readonly<Record<string, string>> = {}): string[] {
  const labels = {
    'com.docker.compose.project': project,
    'com.docker.compose.service': service,
    'com.docker.compose.oneoff': 'False',
    'com.docker.compose.container-number': '1',
    'com.docker.compose.config-hash': 'f00d',
    ...more,
  };
  return Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
}

test('F36: Compose finds nothing to do on a container that was updated', async () => {
  const image = await replacing.docker.docker('image', 'inspect', '-f', '{{.Id}}', replacing.image);
  const labels = composed('shop', 'web', { 'com.docker.compose.image': image });
  await replacing.run('compose', [...resting, ...labels], ['sleeper']);
  const { run, before, after } = await replacing.updateOne('compose');
  expect(run).toMatchObject({ state: 'committed' });
  // Compose re-creates a container whose hash differs from that of the file, or whose image label differs from the image
  // that the name of its service leads to.
  const wanted = await replacing.docker.docker('image', 'inspect', '-f', '{{.Id}}', after.Config.Image ?? '');
  const label = (name: string) => after.Config.Labels?.[`com.docker.compose.${name}`];
  expect(label('image')).toBe(wanted);
  expect(after.Image).toBe(wanted);
  expect(wanted).not.toBe(before.Image);
  expect(label('config-hash')).toBe('f00d');
  expect(label('replace')).toBe(replacing.name('compose'));
  const {
    'com.docker.compose.image': _image,
    'com.docker.compose.replace': _replace,
    ...rest
  } = after.Config.Labels ?? {};
  expect(rest).toMatchObject({ 'com.docker.compose.project': 'shop', 'com.docker.compose.container-number': '1' });
  // A parked container with these labels would count as a replica.
  const replicas = await replacing.docker.docker(
    'ps',
    '-aq',
    '--no-trunc',
    '--filter',
    'label=com.docker.compose.project=shop',
  );
  expect(replicas).toBe(after.Id);
});

test('files that Compose injected come along with their folders, and a folder of the new image stays as it is', async () => {
  const name = replacing.name('injected');
  await replacing.docker.docker('create', ...resting, ...composed('files', 'web'), '--name', name, replacing.image);
  const tape = pack();
  // As Compose does it between create and start: with the time of the copying, in whole seconds.
  const written = { uid: 33, gid: 34, mtime: new Date(Math.floor(Date.now() / 1000) * 1000) };
  tape.entry({ ...written, name: 'etc/app/', type: 'directory', mode: 0o755 });
  tape.entry({ ...written, name: 'etc/app/parts/', type: 'directory', mode: 0o750 });
  tape.entry({ ...written, name: 'etc/app/parts/one.conf', mode: 0o440 }, 'of Compose');
  tape.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tape) chunks.push(chunk as Buffer);
  await replacing.engine.containers.putArchive(name, '/', Buffer.concat(chunks));
  await replacing.docker.docker('start', name);
  const image = await images.fidelity(2, { files: [{ path: 'etc/app', directory: true, mode: 0o700 }] });
  const { run } = await replacing.updateOne('injected', { image });
  expect(run).toMatchObject({ state: 'committed' });
  expect(await replacing.exec('injected', 'cat', '/etc/app/parts/one.conf')).toBe('of Compose');
  const rights = ['/etc', '/etc/app', '/etc/app/parts', '/etc/app/parts/one.conf'];
  expect(await replacing.exec('injected', 'stat', '-c', '%u:%g %a', ...rights)).toBe(
    '0:0 755\n0:0 700\n33:34 750\n33:34 440',
  );
});

/**
 * Follows what the engine does with the containers of a project: `die web`, in order. The engine remembers few events, so
 * this begins before what is looked at.
 */
function follow(project: string): { seen: string[]; stop(): Promise<void> } {
  const end = new AbortController();
  const seen: string[] = [];
  const since = (Date.now() / 1000).toFixed(3);
  const following = (async () => {
    for await (const { Action, Actor } of replacing.engine.events({ since, signal: end.signal })) {
      const { Attributes } = Actor;
      if (Attributes['com.docker.compose.project'] !== project || !/^(die|start)$/.test(Action)) continue;
      seen.push(`${Action} ${Attributes['com.docker.compose.service']}`);
    }
  })().catch((error) => {
    if (!end.signal.aborted) throw error;
  });
  return {
    seen,
    async stop() {
      end.abort();
      await following;
    },
  };
}

test('F42: the engine sees three services stop as c, b, a and start as a, b, c', async () => {
  const project = uniqueName('chain');
  const dependsOn = (service: string) => ({ 'com.docker.compose.depends_on': `${service}:service_healthy:false` });
  await replacing.run('a', composed(project, 'a'));
  await replacing.run('b', composed(project, 'b', dependsOn('a')));
  await replacing.run('c', composed(project, 'c', dependsOn('b')));
  const events = follow(project);
  const { run } = await replacing.updateOne('a');
  expect(run).toMatchObject({ state: 'committed' });
  await waitFor(() => events.seen.length >= 6, { describe: 'the events of the engine' });
  await events.stop();
  expect(events.seen).toEqual(['die c', 'die b', 'die a', 'start a', 'start b', 'start c']);
  for (const part of ['a', 'b', 'c']) expect((await replacing.inspect(part)).State.Running).toBe(true);

  // The middle one fails: it is the old one again, the last one runs with it, and the first was never touched.
  const [first, middle] = [await replacing.inspect('a'), await replacing.inspect('b')];
  const image = await images.exitsAtOnce({ entrypoint: ['exits', '1'] });
  const failed = await replacing.updateOne('b', { image });
  expect(failed.run).toMatchObject({ state: 'rolled-back' });
  expect(failed.after).toMatchObject({ Id: middle.Id, Name: middle.Name, State: { Running: true } });
  expect((await replacing.inspect('c')).State.Running).toBe(true);
  expect((await replacing.inspect('a')).State.StartedAt).toBe(first.State.StartedAt);
  const names = await replacing.docker.docker(
    'ps',
    '-a',
    '--filter',
    `label=com.docker.compose.project=${project}`,
    '--format',
    '{{.Names}}',
  );
  expect(names.split('\n').sort()).toEqual(['a', 'b', 'c'].map(replacing.name));
}, 300_000);
