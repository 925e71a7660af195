import type { Container, Host, Operation, Run, Update } from '@evenkeel/contract';
import { describe, expect, test } from 'vitest';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import { Fault } from '../platform/fault.ts';
import { openMemoryStore } from '../platform/store/store.ts';
import { watchHosts } from './host-notices.ts';
import { createMetrics } from './metrics.ts';
import { createNotices } from './notices.ts';
import { watchWriting } from './write-notices.ts';

function collection<T extends object>(key: keyof T & string): LiveCollection<T> {
  return new LiveCollection<T>({ topic: 'x', keyOf: (item) => String(item[key]) });
}

function host(state: Host['state'], reason: string | null = null): Host {
  return { id: 'local', name: 'local', state, reason, eventLagMilliseconds: 12 } as Host;
}

describe('notices', () => {
  test('a host that does not answer has a notice until it answers again or is removed', () => {
    const hosts = collection<Host>('id');
    const notices = createNotices();
    hosts.put(host('unreachable', 'Start Docker.'));
    const stop = watchHosts(hosts, notices);
    expect(notices.collection.get('host_unreachable:local')).toMatchObject({
      severity: 'error',
      remedy: 'Start Docker.',
    });
    hosts.put(host('online'));
    expect(notices.collection.size).toBe(0);
    hosts.put(host('unreachable', 'Gone.'));
    hosts.remove('local');
    expect(notices.collection.size).toBe(0);
    stop();
  });
});

test('a database that cannot be written has a notice for as long as that lasts', async () => {
  const store = await openMemoryStore(undefined, { migrations: {}, readOnly: false });
  const notices = createNotices();
  const stop = watchWriting(store.writing, notices);
  store.writing.report(new Fault('disk_full', 'Full.'));
  expect(notices.collection.get('database_full')).toMatchObject({ severity: 'error' });
  expect(notices.collection.get('database_full')?.remedy).toMatch(/goes on by itself/);
  store.writing.report(new Fault('read_only', 'Read-only.'));
  expect([...notices.collection.values()].map(({ code }) => code)).toEqual(['database_read_only']);
  store.writing.look();
  expect(notices.collection.size).toBe(0);
  stop();
  await store.close();
});

describe('metrics', () => {
  test('count containers and updates by state, and tell how registries and runs fare', async () => {
    const sources = {
      hosts: collection<Host>('id'),
      containers: collection<Container>('key'),
      updates: collection<Update>('key'),
      runs: collection<Run>('id'),
      operations: collection<Operation>('id'),
    };
    const metrics = createMetrics({
      ...sources,
      registries: () =>
        new Map([
          [
            'docker.io',
            {
              state: 'cooling-down',
              reason: null,
              coolDownUntil: Date.now() + 60_000,
              rateLimitRemaining: 87,
              requests: 13,
            } as const,
          ],
        ]),
      streamConnections: () => 2,
    });
    sources.hosts.put(host('online'));
    sources.containers.publish(
      [
        { key: 'a', host: 'local', state: 'running' } as Container,
        { key: 'b', host: 'local', state: 'running' } as Container,
        { key: 'c', host: 'local', state: 'exited' } as Container,
      ],
      [],
    );
    sources.updates.put({ key: 'a', host: 'local', state: 'digest-update' } as Update);
    const run = {
      id: 'r',
      kind: 'update',
      createdAt: '2026-01-01T00:00:00Z',
      startedAt: '2026-01-01T00:00:00Z',
      finishedAt: '2026-01-01T00:00:02Z',
      gapMilliseconds: 400,
    };
    sources.runs.put({ ...run, state: 'running' } as Run);
    sources.runs.put({ ...run, state: 'committed' } as Run);
    sources.runs.put({ ...run, state: 'committed', rollbackAvailable: true } as Run);
    const check = { id: 'c', kind: 'check', startedAt: '2026-01-01T00:00:00Z', finishedAt: null };
    sources.operations.put({ ...check, state: 'running' } as Operation);
    sources.operations.put({ ...check, state: 'succeeded', finishedAt: '2026-01-01T00:00:03Z' } as Operation);
    const text = await metrics.text();
    expect(text).toContain('evenkeel_containers{host="local",state="running"} 2');
    expect(text).toContain('evenkeel_containers{host="local",state="exited"} 1');
    expect(text).toContain('evenkeel_updates{host="local",state="digest-update"} 1');
    expect(text).toContain('evenkeel_host_online{host="local"} 1');
    expect(text).toContain('evenkeel_event_lag_seconds{host="local"} 0.012');
    expect(text).toContain('# TYPE evenkeel_registry_requests_total counter');
    expect(text).toContain('evenkeel_registry_requests_total{registry="docker.io"} 13');
    expect(text).toContain('evenkeel_registry_cooling_down{registry="docker.io"} 1');
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).toContain('evenkeel_check_duration_seconds_count{result="succeeded"} 1');
    expect(text).toContain('evenkeel_check_duration_seconds_sum{result="succeeded"} 3');
    expect(text).toContain('evenkeel_registry_rate_limit_remaining{registry="docker.io"} 87');
    expect(text).toContain('evenkeel_run_duration_seconds_count{kind="update",result="committed"} 1');
    expect(text).toContain('evenkeel_run_duration_seconds_sum{kind="update",result="committed"} 2');
    expect(text).toContain('evenkeel_run_gap_seconds_sum 0.4');
    expect(text).toContain('evenkeel_stream_connections 2');
    sources.containers.remove('c');
    expect(await metrics.text()).not.toContain('state="exited"');
  });
});
