import type { Container, Update } from '@evenkeel/contract';
import { expect, test } from 'vitest';
import { type Entry, filterEntries, sortEntries, toRows, type View } from './container-rows.ts';

const container = (name: string, more: Partial<Container> = {}): Container => ({
  key: `local/${name}`,
  host: 'local',
  id: name,
  name,
  image: `registry.lan/${name}:1.0`,
  imageId: 'sha256:1',
  state: 'running',
  health: 'none',
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
  exitCode: null,
  restartCount: 0,
  restartPolicy: 'no',
  ports: [],
  networks: [],
  mounts: [],
  labels: {},
  stack: null,
  service: null,
  self: false,
  stale: false,
  ...more,
});
const entry = (name: string, more: Partial<Container> = {}, update?: Update): Entry => ({
  container: container(name, more),
  update,
});
const view: View = {
  q: '',
  states: new Set(),
  updates: new Set(),
  hosts: new Set(),
  sort: 'name',
  grouped: true,
  closed: new Set(),
};
const names = (entries: readonly Entry[]) => entries.map(({ container: { name } }) => name);

test('the search finds name, image, stack, port and label, in any case', () => {
  const entries = [
    entry('web', { stack: 'Shop', ports: [{ ip: null, privatePort: 80, publicPort: 8080, protocol: 'tcp' }] }),
    entry('db', { labels: { tier: 'Storage' } }),
  ];
  const find = (q: string) => names(filterEntries(entries, { ...view, q }));
  expect([
    find('WEB'),
    find('shop'),
    find('8080'),
    find('tier=storage'),
    find('registry.lan/db'),
    find('nothing'),
  ]).toEqual([['web'], ['web'], ['web'], ['db'], ['db'], []]);
});

test('filters of one kind add up, filters of different kinds narrow', () => {
  const entries = [entry('a'), entry('b', { state: 'exited' }), entry('c', { host: 'nas', state: 'exited' })];
  expect(names(filterEntries(entries, { ...view, states: new Set(['running', 'stopped']) }))).toEqual(['a', 'b', 'c']);
  expect(names(filterEntries(entries, { ...view, states: new Set(['stopped']), hosts: new Set(['nas']) }))).toEqual([
    'c',
  ]);
});

test('sorting counts numbers as numbers and never wavers', () => {
  const entries = [entry('web-10'), entry('web-2'), entry('web-2', { host: 'a', key: 'a/web-2' })];
  expect(sortEntries(entries, 'name').map(({ container: { key } }) => key)).toEqual([
    'a/web-2',
    'local/web-2',
    'local/web-10',
  ]);
  expect(names(sortEntries(entries, '-name'))[0]).toBe('web-10');
});

test('stacks come by name, what is in none comes last, a closed stack shows only its head', () => {
  const entries = [
    entry('z'),
    entry('b', { stack: 'shop' }),
    entry('a', { stack: 'shop' }),
    entry('c', { stack: 'blog' }),
  ];
  const rows = toRows(entries, { ...view, closed: new Set(['shop']) });
  expect(
    rows.map((row) => (row.kind === 'stack' ? `[${row.name ?? ''} ${row.entries.length}]` : row.entry.container.name)),
  ).toEqual(['[blog 1]', 'c', '[shop 2]', '[ 1]', 'z']);
});

test('without any stack there is no head at all', () => {
  expect(toRows([entry('a')], view).map((row) => row.kind)).toEqual(['container']);
});
