import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ContainerInspect } from '../../packages/server/src/platform/engine/engine-types.ts';
import { type Replaced, type Replacing, startReplacing } from './replace.ts';

let replacing: Replacing;
let replaced: Map<string, Replaced>;
let folder: string;

beforeAll(async () => {
  replacing = await startReplacing();
  const { docker, image, name } = replacing;
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-bind-'));
  // Only a mount that is shared itself can be handed on as shared.
  execFileSync('mount', ['--bind', folder, folder]);
  execFileSync('mount', ['--make-shared', folder]);
  writeFileSync(join(folder, 'file'), 'of the host');
  await docker.docker('volume', 'create', name('named'));
  await docker.docker('volume', 'create', name('empty'));
  const containers: Readonly<Record<string, readonly string[]>> = {
    F10: [],
    F11: ['-v', '/anon', '--mount', 'type=volume,dst=/m'],
    F12: ['-v', `${name('named')}:/d:ro`, '-v', `${folder}:/bound:rshared`],
    'F12-empty': ['-v', `${name('empty')}:/data`],
    F13: ['--tmpfs', '/t:size=1m', '--mount', 'type=tmpfs,dst=/u'],
    F14: ['--tmpfs', '/data'],
    F15: ['--rm'],
    source: ['-v', `${name('named')}:/shared`, '-v', `${folder}:/bound`],
  };
  await Promise.all(
    Object.entries(containers).map(([part, options]) =>
      docker.docker('run', '-d', '--name', name(part), ...options, image),
    ),
  );
  await docker.docker('run', '-d', '--name', name('F34'), '--volumes-from', `${name('source')}:ro`, image);
  await Promise.all([
    ...['F10', 'F15', 'source'].map((part) => replacing.exec(part, 'sh', '-c', `echo ${part} > /data/mine`)),
    // What the engine copied from version 1 at the first create.
    replacing.exec('F12-empty', 'rm', '/data/from-image'),
    replacing.exec('F11', 'sh', '-c', 'echo a > /anon/mine; echo m > /m/mine'),
  ]);
  replaced = await replacing.update([...Object.keys(containers).filter((part) => part !== 'source'), 'F34']);
}, 600_000);
afterAll(async () => {
  await replacing.stop();
  execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true, force: true });
});

/** The committed replacement of a container. */
function both(part: string): Replaced {
  const found = replaced.get(part);
  expect(found?.refusal).toBeUndefined();
  expect(found?.run).toMatchObject({ state: 'committed', reason: null });
  expect(found?.after.Id).not.toBe(found?.before.Id);
  if (found === undefined) throw new Error(`${part} was not updated.`);
  return found;
}

/** Target, kind, name, right and propagation of each mount, in the order of the targets. */
function mounts({ Mounts }: ContainerInspect, ...without: string[]) {
  return Mounts.filter(({ Destination }) => !without.includes(Destination))
    .map(({ Destination, Type, Name, RW, Propagation }) => ({ Destination, Type, Name, RW, Propagation }))
    .sort((a, b) => (a.Destination < b.Destination ? -1 : 1));
}

test('F10: the volume of an image keeps its name and its files, and version 2 puts nothing into it', async () => {
  const { before, after } = both('F10');
  const volume = (container: ContainerInspect, path: string) =>
    container.Mounts.find(({ Destination }) => Destination === path)?.Name;
  expect(volume(after, '/data')).toBe(volume(before, '/data'));
  expect(await replacing.exec('F10', 'cat', '/data/mine', '/data/from-image')).toBe('F10\nversion 1');
  // Version 2 no longer declares /old, which stays; it declares /new, which is made.
  expect(volume(after, '/old')).toBe(volume(before, '/old'));
  expect(volume(after, '/new')).toMatch(/^[0-9a-f]{64}$/);
});

test('F11: volumes without a name are attached again', async () => {
  const { before, after } = both('F11');
  expect(mounts(after, '/new')).toEqual(mounts(before));
  expect(await replacing.exec('F11', 'cat', '/anon/mine', '/m/mine')).toBe('a\nm');
});

test('F12: named volume and bind keep source, right and propagation', async () => {
  const { before, after } = both('F12');
  // The command line gives them in any order.
  const named = `${replacing.name('named')}:/d:ro`;
  const binds = (before.HostConfig.Binds ?? []).map((bind) => (bind === named ? `${named},nocopy` : bind));
  expect([...binds].sort()).toEqual([`${folder}:/bound:rshared`, `${named},nocopy`].sort());
  expect(after.HostConfig.Binds).toEqual(binds);
  expect(mounts(after, '/new')).toEqual(mounts(before));
  expect(await replacing.exec('F12', 'cat', '/bound/file')).toBe('of the host');
});

test('F12: a volume that is empty stays empty, and the run says so', async () => {
  const { run } = both('F12-empty');
  expect(await replacing.exec('F12-empty', 'ls', '/data')).toBe('');
  expect(run?.warnings.map(({ code }) => code)).toContain('empty-volume');
});

test('F13: tmpfs of both kinds stay, without a volume beside them', async () => {
  const { before, after } = both('F13');
  expect(after.HostConfig.Tmpfs).toEqual({ '/t': 'size=1m' });
  expect(mounts(after, '/new')).toEqual(mounts(before));
  expect(await replacing.exec('F13', 'sh', '-c', 'grep -c " /[tu] tmpfs " /proc/mounts')).toBe('2');
});

test('F14: a tmpfs over the volume of the image keeps the volume away', async () => {
  const { after } = both('F14');
  expect(after.Mounts.map(({ Destination }) => Destination).sort()).toEqual(['/new', '/old']);
  expect(await replacing.exec('F14', 'sh', '-c', 'grep -c " /data tmpfs " /proc/mounts')).toBe('1');
});

test('F15: a --rm container stays one, keeps its data, and leaves no holder', async () => {
  const { before, after } = both('F15');
  expect(after.HostConfig.AutoRemove).toBe(true);
  expect(mounts(after, '/new')).toEqual(mounts(before));
  expect(await replacing.exec('F15', 'cat', '/data/mine')).toBe('F15');
  const names = await replacing.docker.docker(
    'ps',
    '-a',
    '--filter',
    `name=${replacing.name('F15')}`,
    '--format',
    '{{.Names}}',
  );
  expect(names).toBe(replacing.name('F15'));
});

test('F34: volumes from another container stay the same ones, read-only', async () => {
  const { before, after } = both('F34');
  expect(after.HostConfig.VolumesFrom).toEqual([`${replacing.name('source')}:ro`]);
  expect(mounts(after, '/new')).toEqual(mounts(before));
  expect(after.Mounts.find(({ Destination }) => Destination === '/shared')?.RW).toBe(false);
  expect(await replacing.exec('F34', 'cat', '/data/mine', '/bound/file')).toContain('of the host');
});
