import { describe, expect, it } from 'vitest';
import { configChanges, layerDelta } from './image-changes.ts';

describe('changes of image defaults', () => {
  it('are named field by field', () => {
    const from = {
      Env: ['A=1', 'GONE=x', 'SAME=s'],
      Cmd: ['run'],
      ExposedPorts: { '80/tcp': {} },
      User: '',
      WorkingDir: '/a',
    };
    const to = {
      Env: ['SAME=s', 'A=2', 'NEW=y=z'],
      Cmd: ['run', 'two words'],
      ExposedPorts: { '81/tcp': {}, '80/tcp': {} },
      User: 'app',
      Volumes: { '/data': {} },
      Healthcheck: { Test: ['CMD', 'true'] },
      Labels: { v: '2', 'org.opencontainers.image.created': 'now' },
      WorkingDir: '/a',
    };
    expect(configChanges(from, to)).toEqual([
      { field: 'cmd', from: 'run', to: 'run "two words"' },
      { field: 'user', from: null, to: 'app' },
      { field: 'ports', from: '80/tcp', to: '80/tcp, 81/tcp' },
      { field: 'volumes', from: null, to: '/data' },
      { field: 'healthcheck', from: null, to: 'CMD true' },
      { field: 'env.A', from: '1', to: '2' },
      { field: 'env.GONE', from: 'x', to: null },
      { field: 'env.NEW', from: null, to: 'y=z' },
      { field: 'labels.v', from: null, to: '2' },
    ]);
    expect(configChanges(from, from)).toEqual([]);
    expect(configChanges({ Env: null, Cmd: null }, { Env: [], Cmd: [] })).toEqual([]);
  });
});

describe('changes of a health check', () => {
  const check = (more: object) => ({ Healthcheck: { Test: ['CMD', 'true'], Interval: 30e9, ...more } });
  it('are its times too', () => {
    expect(configChanges(check({}), check({ Interval: 5e9, Retries: 3, Timeout: 0 }))).toEqual([
      { field: 'healthcheck.interval', from: '30s', to: '5s' },
      { field: 'healthcheck.retries', from: null, to: '3' },
    ]);
    expect(configChanges(check({}), { Healthcheck: { Test: ['CMD', 'true'] } })).toEqual([
      { field: 'healthcheck.interval', from: '30s', to: null },
    ]);
    expect(configChanges(check({}), { Healthcheck: null })).toEqual([
      { field: 'healthcheck', from: 'CMD true', to: null },
    ]);
  });
});

it('long values and names are cut, and there are not too many', () => {
  const long = 'x'.repeat(5_000_000);
  const changes = configChanges(
    { Env: [`A=${long}`] },
    { Env: [`A=${long}y`, ...Array.from({ length: 500 }, (_, index) => `${index}${'n'.repeat(1000)}=1`)] },
  );
  expect(changes).toHaveLength(100);
  for (const { field, from, to } of changes) {
    expect(Math.max(field.length, from?.length ?? 0, to?.length ?? 0)).toBeLessThanOrEqual(500);
  }
});

describe('layers to fetch', () => {
  it('are those above the first difference', () => {
    expect(layerDelta(['a', 'b', 'c'], ['a', 'x', 'c'], [1, 10, 100])).toEqual({
      downloadBytes: 110,
      newLayers: 2,
      sharedLayers: 1,
    });
    expect(layerDelta(['a'], ['a'], [5])).toMatchObject({ downloadBytes: 0, newLayers: 0 });
    expect(layerDelta(['a'], ['a', 'b'], [5])).toBeUndefined();
  });
});
