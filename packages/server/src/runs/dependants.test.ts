import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostConfig } from '../platform/engine/engine-types.ts';
import { type Dependants, dependantsOf } from './dependants.ts';
import { hexId, sampleContainer } from './spec-samples.ts';

const ids: Readonly<Record<string, string>> = {
  a: hexId('a'),
  b: hexId('b'),
  c: hexId('c'),
  d: hexId('d'),
  e: hexId('e'),
};
type Parts = NonNullable<Parameters<typeof sampleContainer>[0]>;
const make = (name: string, parts: Parts = {}) => sampleContainer({ id: ids[name] ?? hexId('0'), name, ...parts });
const host = (settings: HostConfig): Parts => ({ host: settings });
const after = (text: string): Parts => ({ config: { Labels: { 'evenkeel.depends-on': text } } });
const compose = (service: string, dependsOn = '', more: Readonly<Record<string, string>> = {}): Parts => ({
  config: {
    Labels: {
      'com.docker.compose.project': 'p',
      'com.docker.compose.service': service,
      'com.docker.compose.depends_on': dependsOn,
      ...more,
    },
  },
});
const stopped: Parts = { state: { Status: 'exited', Running: false } };
const owner = make('a', compose('a'));
const shown = ({ members }: Dependants) => members.map(({ name, action }) => `${name} ${action}`);

describe('dependants of a container that is replaced', () => {
  test.each<[string, Parts, string]>([
    ['network namespace of a', host({ NetworkMode: `container:${hexId('a')}` }), 'recreate'],
    ['process namespace of a', host({ PidMode: `container:${hexId('a')}` }), 'recreate'],
    ['IPC namespace of a', host({ IpcMode: 'container:a' }), 'recreate'],
    ['link of a', host({ Links: ['/a:/b/alias'] }), 'recreate'],
    ['volumes of a', host({ VolumesFrom: ['a:ro'] }), 'stop-start'],
    ['volumes of a', host({ VolumesFrom: [hexId('a')] }), 'recreate'],
    ['volumes of a', host({ VolumesFrom: [hexId('a').slice(0, 12)] }), 'recreate'],
    ['depends on a', compose('b', 'a:service_healthy:false'), 'stop-start'],
    ['depends on a', compose('b', 'a:service_started:true'), 'restart'],
    ['depends on a', compose('b', 'a'), 'stop-start'],
    ['depends on a', after('x, a:service_healthy'), 'stop-start'],
  ])('%s', (relation, parts, action) => {
    const { members, refusals } = dependantsOf(owner, [make('b', parts), owner, make('c')]);
    expect(members).toMatchObject([{ name: 'b', relation, action }]);
    expect(refusals).toEqual([]);
  });

  test.each<[string, Parts]>([
    ['a link on a network of the user, which follows the name', { networks: { front: { Links: ['a:alias'] } } }],
    ['the same service of another project', compose('b', 'a', { 'com.docker.compose.project': 'q' })],
    ['a one-off job', compose('b', 'a', { 'com.docker.compose.oneoff': 'True' })],
    ['a stopped service', { ...compose('b', 'a'), ...stopped }],
    ['the network of the machine', host({ NetworkMode: 'host' })],
  ])('not %s', (_what, parts) => {
    expect(dependantsOf(owner, [owner, make('b', parts)]).members).toEqual([]);
  });

  test('a one-off job is not the service that others depend on', () => {
    const job = make('a', compose('a', '', { 'com.docker.compose.oneoff': 'True' }));
    expect(dependantsOf(job, [job, make('b', compose('b', 'a'))]).members).toEqual([]);
  });

  test('a stopped container that shares a namespace goes along: it could never start again', () => {
    const sidecar = make('b', { ...host({ NetworkMode: `container:${hexId('a')}` }), ...stopped });
    expect(shown(dependantsOf(owner, [owner, sidecar]))).toEqual(['b recreate']);
  });

  test('who depends on a stopped container is left alone', () => {
    const resting = make('a', { ...compose('a'), ...stopped });
    expect(dependantsOf(resting, [resting, make('b', compose('b', 'a'))]).members).toEqual([]);
  });

  test('several relations of one container are one member with the strongest action', () => {
    const both = make('b', { ...compose('b', 'a:service_healthy:true'), host: { PidMode: `container:${hexId('a')}` } });
    const { members } = dependantsOf(owner, [owner, both]);
    expect(members).toMatchObject([{ relation: 'process namespace of a, depends on a', action: 'recreate' }]);
    expect(members[0]?.dependencies.map(({ condition }) => condition)).toEqual(['service_started', 'service_healthy']);
  });

  test('who hangs on a dependant goes along: recreated where that one is, restarted where it only restarts', () => {
    const b = make('b', compose('b', 'a'));
    const shared = (on: string) => host({ NetworkMode: `container:${ids[on]}` });
    const world = [owner, b, make('c', shared('b')), make('d', shared('a')), make('e', shared('d'))];
    expect(shown(dependantsOf(owner, world))).toEqual(['b stop-start', 'c stop-start', 'd recreate', 'e recreate']);
  });

  test('volumes of a dependant that only restarts concern nobody', () => {
    const world = [owner, make('b', compose('b', 'a')), make('c', host({ VolumesFrom: ['b'] }))];
    expect(shown(dependantsOf(owner, world))).toEqual(['b stop-start']);
  });

  test('they start after what they depend on, by name otherwise', () => {
    const world = [
      make('b', compose('b', 'a,d')),
      make('c', compose('c', 'b')),
      make('d', compose('d', 'a')),
      make('e', compose('e', 'a')),
      owner,
    ];
    expect(dependantsOf(owner, world).members.map(({ name }) => name)).toEqual(['d', 'b', 'c', 'e']);
  });

  test.each<[string, ReturnType<typeof make>[]]>([
    ['among dependants', [owner, make('b', compose('b', 'a,c')), make('c', compose('c', 'b'))]],
    ['through the owner', [make('a', compose('a', 'b')), make('b', compose('b', 'a'))]],
  ])('a circle is refused: %s', (_what, world) => {
    const [first = owner] = world;
    const { refusals } = dependantsOf(first, world);
    expect(refusals.map(({ code }) => code)).toEqual(['dependency-cycle']);
    expect(refusals[0]?.text).toMatch(/b/);
  });

  test('a paused dependant is refused', () => {
    const paused = make('b', { ...compose('b', 'a'), state: { Status: 'paused', Paused: true } });
    expect(dependantsOf(owner, [owner, paused]).refusals.map(({ code }) => code)).toEqual(['dependant-paused']);
  });

  test('in any world without circles each member starts after everything that it depends on', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const edges = fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { maxLength: 10 });
    fc.assert(
      fc.property(edges, fc.shuffledSubarray(names, { minLength: 5 }), (pairs, order) => {
        // Edges lead from a later name to an earlier one, so there is no circle.
        const on = (name: string) =>
          pairs.filter(([from, to]) => names[from] === name && to < from).map(([, to]) => names[to]);
        const world = order.map((name) => make(name, after(on(name).join(','))));
        const first = world.find(({ Name }) => Name === '/a') ?? owner;
        const { members, refusals } = dependantsOf(first, world);
        const started = ['a', ...members.map(({ name }) => name)];
        expect(refusals).toEqual([]);
        for (const { name, dependencies } of members) {
          for (const one of dependencies) expect(started.indexOf(one.on.name)).toBeLessThan(started.indexOf(name));
        }
      }),
    );
  });
});

test('one whose successful end somebody waits for is known, also when that one is at rest', () => {
  const waiting = make('c', {
    ...compose('c', 'b:service_completed_successfully:false,a:service_healthy:false'),
    ...stopped,
  });
  const { completing } = dependantsOf(owner, [owner, make('b', compose('b', 'a:service_started:false')), waiting]);
  expect([...completing]).toEqual([hexId('b')]);
});
