import { afterEach, describe, expect, it } from 'vitest';
import { configOf, scriptedRegistry } from './scripted-registry.ts';
import { digest, startUpdates, type UpdatesBench } from './updates-bench.ts';

const [a, b, c] = ['a', 'b', 'c'].map(digest) as [string, string, string];
const hour = 3_600_000;
const minute = 60_000;
const benches: UpdatesBench[] = [];
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.stop();
});

async function start(options: Parameters<typeof startUpdates>[0] = {}): Promise<UpdatesBench> {
  const bench = await startUpdates(options);
  benches.push(bench);
  return bench;
}

/** A classic image store: the id is the configuration, names move and digests stay. */
function pull(bench: UpdatesBench, reference: string, to: string, host = 'one'): string {
  const repository = reference.split(':')[0] ?? '';
  const { images } = bench.host(host);
  for (const image of images.values()) image.tags = image.tags.filter((tag) => tag !== reference);
  images.set(configOf(to), { tags: [reference], digests: [`${repository}@${to}`] });
  return configOf(to);
}

/** The containerd image store: the id is the digest, and an image that loses its name loses its digests. */
function pullToContainerd(bench: UpdatesBench, reference: string, to: string): string {
  const repository = reference.split(':')[0] ?? '';
  const { images } = bench.host('one');
  for (const image of images.values()) {
    image.tags = image.tags.filter((tag) => tag !== reference);
    if (image.tags.length === 0) image.digests = [];
  }
  images.set(to, { tags: [reference], digests: [`${repository}@${to}`] });
  return to;
}

describe('a container that comes after the last answer', () => {
  it('is never offered what the answer named, but asked for once', async () => {
    const registry = scriptedRegistry({ '1': a });
    const bench = await start({ registry, settings: { checkEveryMinutes: 360 } });
    bench.run('one/old', 'nginx:1', pull(bench, 'nginx:1', a));
    await bench.check(['one/old']);
    await bench.clock.advance(hour);
    registry.tags['1'] = b;
    registry.asked.length = 0;
    bench.run('one/new', 'nginx:1', pull(bench, 'nginx:1', b));
    await bench.clock.settle();
    expect(bench.entry('one/new')).toMatchObject({ state: 'unknown', candidates: [] });
    await bench.clock.advance(6000);
    expect(registry.asked.filter((one) => one.startsWith('HEAD'))).toEqual(['HEAD 1']);
    expect(bench.entry('one/new').state).toBe('up-to-date');
    expect(bench.entry('one/old').state).toBe('pulled-not-applied');
  });

  it('needs no question where it runs what the answer named', async () => {
    const registry = scriptedRegistry({ '1': a });
    const bench = await start({ registry, settings: { checkEveryMinutes: 360 } });
    const id = pull(bench, 'nginx:1', a);
    bench.run('one/old', 'nginx:1', id);
    await bench.check(['one/old']);
    registry.asked.length = 0;
    bench.run('one/new', 'nginx:1', id);
    await bench.clock.advance(6000);
    expect(bench.entry('one/new').state).toBe('up-to-date');
    expect(registry.asked).toEqual([]);
  });

  it('runs an old image for certain where the tag left it earlier', async () => {
    const registry = scriptedRegistry({ '1': a });
    const bench = await start({ registry });
    const id = pull(bench, 'nginx:1', a);
    bench.run('one/first', 'nginx:1', id);
    await bench.check(['one/first']);
    registry.tags['1'] = b;
    await bench.clock.advance(hour);
    await bench.check(['one/first']);
    bench.run('one/again', 'nginx:1', id);
    await bench.clock.settle();
    expect(bench.entry('one/again')).toMatchObject({ state: 'digest-update', candidates: [{ digest: b }] });
  });
});

describe('a pull by hand', () => {
  it('is seen a moment later, with one look at the images however much the engine says', async () => {
    const registry = scriptedRegistry({ '1': a });
    const bench = await start({ registry });
    bench.run('one/web', 'nginx:1', pull(bench, 'nginx:1', a));
    await bench.check(['one/web']);
    registry.asked.length = 0;
    pull(bench, 'nginx:1', b);
    const { lists } = bench.host('one');
    for (let event = 0; event < 20; event += 1) bench.host('one').say();
    await bench.clock.advance(299);
    expect(bench.host('one').lists).toBe(lists);
    await bench.clock.advance(1);
    await bench.clock.settle();
    expect(bench.entry('one/web')).toMatchObject({ state: 'pulled-not-applied', candidates: [{ digest: b }] });
    expect(bench.host('one').lists).toBe(lists + 1);
    expect(registry.asked).toEqual([]);
  });

  it('is seen while the engine goes on and on about its images', async () => {
    const bench = await start({ registry: scriptedRegistry({ '1': a }) });
    bench.run('one/web', 'nginx:1', pull(bench, 'nginx:1', a));
    await bench.check(['one/web']);
    pull(bench, 'nginx:1', b);
    for (let passed = 0; passed < 2500; passed += 100) {
      bench.host('one').say();
      await bench.clock.advance(100);
    }
    expect(bench.entry('one/web').state).toBe('pulled-not-applied');
  });

  it('does not make the container local where the engine forgets the digests of the old image', async () => {
    const registry = scriptedRegistry({ '1': a });
    const bench = await start({ registry });
    bench.run('one/web', 'nginx:1', pullToContainerd(bench, 'nginx:1', a));
    await bench.check(['one/web']);
    expect(bench.entry('one/web').state).toBe('up-to-date');
    pullToContainerd(bench, 'nginx:1', b);
    bench.host('one').say();
    await bench.clock.advance(300);
    await bench.clock.settle();
    expect(bench.entry('one/web')).toMatchObject({ state: 'pulled-not-applied', candidates: [{ digest: b }] });
    registry.tags['1'] = b;
    await bench.check(['one/web']);
    expect(bench.entry('one/web')).toMatchObject({ state: 'pulled-not-applied', candidates: [{ digest: b }] });
  });

  it('is not forgotten while the registry is sick, nor is an oddity invented by a restart', async () => {
    const registry = scriptedRegistry({ '1': a });
    const bench = await start({ registry });
    bench.run('one/web', 'nginx:1', pull(bench, 'nginx:1', a));
    await bench.check(['one/web']);
    pull(bench, 'nginx:1', b);
    registry.tags['1'] = 'sick';
    await bench.check(['one/web']);
    expect(bench.entry('one/web').candidates).toMatchObject([{ digest: b }]);
    // The registry has gone back to what the container runs: what was pulled meanwhile is no update.
    registry.tags['1'] = a;
    await bench.check(['one/web']);
    expect(bench.entry('one/web').state).toBe('up-to-date');
    const again = await start({ registry, store: bench.store, clock: bench.clock });
    for (const [id, image] of bench.host('one').images) again.host('one').images.set(id, image);
    again.run('one/web', 'nginx:1', configOf(a));
    await again.clock.settle();
    expect(again.entry('one/web').state).toBe('up-to-date');
  });
});

describe('a check', () => {
  it('is not held back by an engine that hangs', async () => {
    const registry = scriptedRegistry({ '1': b });
    const bench = await start({ registry });
    bench.run('one/web', 'nginx:1', pull(bench, 'nginx:1', a));
    bench.run('two/web', 'nginx:1', pull(bench, 'nginx:1', a, 'two'));
    await bench.clock.settle();
    bench.host('two').hangs = true;
    const done = bench.check(['one/web', 'two/web']);
    await bench.clock.settle();
    await bench.clock.settle();
    expect(bench.entry('one/web')).toMatchObject({ state: 'digest-update', checking: false });
    expect(bench.entry('two/web')).toMatchObject({ state: 'digest-update' });
    await bench.clock.advance(10_000);
    expect(await done).toContain('1 references');
    expect(registry.asked.filter((one) => one === 'HEAD 1')).toHaveLength(1);
  });

  it('lists the images of a host once while many containers appear, and once more', async () => {
    const bench = await start();
    const id = pull(bench, 'nginx:1', a);
    for (let count = 0; count < 200; count += 1) bench.run(`one/c${count}`, 'nginx:1', id);
    await bench.clock.settle();
    expect(bench.host('one').lists).toBe(2);
    expect(bench.entry('one/c199').running.platform).toBe('linux/amd64');
  });

  it('of one container leaves standing what another one with the same reference was told', async () => {
    const registry = scriptedRegistry({ '1.0.0': a, '1.1.0': b }, ['1.0.0', '1.1.0']);
    const bench = await start({ registry });
    const id = pull(bench, 'nginx:1.0.0', a);
    bench.run('one/wants', 'nginx:1.0.0', id, { 'evenkeel.tags': 'true' });
    bench.run('one/strict', 'nginx:1.0.0', id, { 'evenkeel.tags': 'true', 'evenkeel.tags.include': '^9' });
    await bench.check(['one/wants', 'one/strict']);
    expect(bench.entry('one/wants').candidates).toMatchObject([{ tag: '1.1.0' }]);
    await bench.check(['one/strict']);
    // Whatever makes it judged anew.
    bench.settings({ keepImages: 4 });
    expect(bench.entry('one/wants').candidates).toMatchObject([{ tag: '1.1.0' }]);
    expect(bench.entry('one/strict').state).toBe('up-to-date');
  });

  it('for newer tags by hand is one, and its result stays; later checks list no tags', async () => {
    const registry = scriptedRegistry({ '1.0.0': a, '1.1.0': b }, ['1.0.0', '1.1.0']);
    const bench = await start({ registry });
    bench.run('one/web', 'nginx:1.0.0', pull(bench, 'nginx:1.0.0', a));
    await bench.check(['one/web'], true);
    expect(bench.entry('one/web').state).toBe('tag-update');
    registry.asked.length = 0;
    await bench.check(['one/web']);
    expect(registry.asked).toEqual(['HEAD 1.0.0']);
    expect(bench.entry('one/web').state).toBe('tag-update');
  });

  it('for newer tags by hand does not go past a label that cannot be understood', async () => {
    const registry = scriptedRegistry({ '1.0.0': a, '1.1.0': b }, ['1.0.0', '1.1.0']);
    const bench = await start({ registry });
    bench.run('one/web', 'nginx:1.0.0', pull(bench, 'nginx:1.0.0', a), { 'evenkeel.tags.include': '(' });
    await bench.check(['one/web'], true);
    expect(registry.asked).toEqual(['HEAD 1.0.0']);
    expect(bench.entry('one/web')).toMatchObject({ candidates: [], reason: expect.stringContaining('pattern') });
  });

  it('that fails is done again before the schedule, ever later, and not before the registry wants', async () => {
    const registry = scriptedRegistry({ '1': 'sick' });
    const bench = await start({ registry, settings: { checkEveryMinutes: 360 } });
    bench.run('one/web', 'nginx:1', pull(bench, 'nginx:1', a));
    await bench.check(['one/web']);
    await bench.clock.advance(6000);
    registry.asked.length = 0;
    registry.coolDownUntil = bench.clock.now() + 60 * minute;
    await bench.check(['one/web']);
    registry.asked.length = 0;
    await bench.clock.advance(59 * minute);
    expect(registry.asked).toEqual([]);
    registry.tags['1'] = a;
    await bench.clock.advance(2 * minute);
    expect(registry.asked).toEqual(['HEAD 1']);
    expect(bench.entry('one/web').state).toBe('up-to-date');
  });

  it('that was refused is not done again and again', async () => {
    const registry = scriptedRegistry({ '1': 'denied' });
    const bench = await start({ registry });
    bench.run('one/web', 'nginx:1', pull(bench, 'nginx:1', a));
    await bench.check(['one/web']);
    bench.settings({ checkEveryMinutes: 360 });
    await bench.clock.advance(6000);
    registry.asked.length = 0;
    await bench.clock.advance(300 * minute);
    expect(registry.asked).toEqual([]);
  });

  it('by schedule is not put off by a change of other settings', async () => {
    const registry = scriptedRegistry({ '1': a });
    const bench = await start({ registry, settings: { checkEveryMinutes: 60 } });
    bench.run('one/web', 'nginx:1', pull(bench, 'nginx:1', a));
    await bench.check(['one/web']);
    await bench.clock.advance(50 * minute);
    registry.asked.length = 0;
    bench.settings({ keepImages: 3 });
    await bench.clock.advance(10 * minute);
    expect(registry.asked).toEqual(['HEAD 1']);
  });
});

describe('newer tags', () => {
  it('that have never been looked for are unknown, and are looked for soon', async () => {
    const registry = scriptedRegistry({ '1.0.0': a }, ['1.0.0']);
    const bench = await start({ registry });
    bench.run('one/web', 'nginx:1.0.0', pull(bench, 'nginx:1.0.0', a));
    await bench.check(['one/web']);
    expect(bench.entry('one/web').state).toBe('up-to-date');
    bench.settings({ lookForTags: 'always', checkEveryMinutes: 360 });
    expect(bench.entry('one/web')).toMatchObject({ state: 'unknown', reason: expect.stringContaining('tags') });
    await bench.clock.advance(6000);
    expect(registry.asked).toContain('tags');
    expect(bench.entry('one/web').state).toBe('up-to-date');
  });
});

describe('a candidate that is too new', () => {
  it('is proposed when it is old enough, without a check', async () => {
    const registry = scriptedRegistry({ '1': b });
    const bench = await start({ registry, settings: { minimumAgeHours: 24 } });
    bench.run('one/web', 'nginx:1', pull(bench, 'nginx:1', a));
    await bench.check(['one/web']);
    expect(bench.entry('one/web').candidates).toMatchObject([{ blocked: { code: 'too-new' } }]);
    expect(() => bench.updates.choose('one', 'web', undefined)).toThrow(expect.objectContaining({ code: 'conflict' }));
    await bench.clock.advance(24 * hour);
    await bench.clock.settle();
    expect(bench.entry('one/web').candidates).toMatchObject([{ blocked: null }]);
    expect(bench.updates.choose('one', 'web', undefined).candidate.digest).toBe(b);
  });
});

describe('a candidate that was rolled back', () => {
  it('does not come back in another index', async () => {
    const registry = scriptedRegistry({ '1': b });
    const bench = await start({ registry });
    bench.run('one/web', 'nginx:1', pull(bench, 'nginx:1', a));
    await bench.check(['one/web']);
    bench.updates.quarantine({ host: 'one', name: 'web', candidateId: `1@${b}`, digest: b, reason: 'It exited.' });
    expect(bench.entry('one/web').candidates[0]?.blocked?.code).toBe('quarantined');
    // Another platform was added: the manifest of the own one is the same.
    registry.manifests[c] = {
      kind: 'index',
      mediaType: '',
      manifests: [{ mediaType: '', digest: b, size: 1, platform: { os: 'linux', architecture: 'amd64' } }],
    };
    registry.tags['1'] = c;
    await bench.check(['one/web']);
    expect(bench.entry('one/web').candidates[0]).toMatchObject({ digest: c, blocked: { code: 'quarantined' } });
  });
});
