import type { Container, Host, Operation, Run, Update } from '@evenkeel/contract';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import type { RegistryHealth } from '../platform/registry/registry-client.ts';

export interface MetricsSources {
  readonly hosts: LiveCollection<Host>;
  readonly containers: LiveCollection<Container>;
  readonly updates: LiveCollection<Update>;
  readonly runs: LiveCollection<Run>;
  readonly operations: LiveCollection<Operation>;
  /** Every registry host that was spoken to since the start. */
  readonly registries: () => ReadonlyMap<string, RegistryHealth>;
  readonly streamConnections: () => number;
}

/** Prometheus text format 0.0.4. Everything is read from memory when it is asked for. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  /** Counts an answer of the HTTP server. `route` is the pattern of the path, so that the number of series stays bounded. */
  observeAnswer(answer: { method: string; route: string; status: number; seconds: number }): void;
}

const finished: ReadonlySet<Run['state']> = new Set(['committed', 'rolled-back', 'failed', 'cancelled', 'refused']);

export function createMetrics(sources: MetricsSources): Metrics {
  const register = new Registry();
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    fill: (set: Fill<Label>) => void,
  ) => {
    new Gauge({
      name: `evenkeel_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [register],
      collect() {
        this.reset();
        fill((labels, value, add) => {
          if (add) this.inc(labels, value);
          else this.set(labels, value);
        });
      },
    });
  };

  gauge('containers', 'Containers by host and state', ['host', 'state'], (set) => {
    for (const container of sources.containers.values()) set({ host: container.host, state: container.state }, 1, true);
  });
  gauge('updates', 'Containers by host and update state', ['host', 'state'], (set) => {
    for (const update of sources.updates.values()) set({ host: update.host, state: update.state }, 1, true);
  });
  gauge('host_online', '1 when the Docker Engine answers', ['host'], (set) => {
    for (const host of sources.hosts.values()) set({ host: host.id }, host.state === 'online' ? 1 : 0);
  });
  gauge('event_lag_seconds', 'Delay of the last engine event', ['host'], (set) => {
    for (const host of sources.hosts.values()) {
      if (host.eventLagMilliseconds !== null) set({ host: host.id }, host.eventLagMilliseconds / 1000);
    }
  });
  gauge('operations', 'Operations kept, by kind and state', ['kind', 'state'], (set) => {
    for (const operation of sources.operations.values()) set({ kind: operation.kind, state: operation.state }, 1, true);
  });
  new Counter({
    name: 'evenkeel_registry_requests_total',
    help: 'Requests sent to a registry since the start',
    labelNames: ['registry'],
    registers: [register],
    collect() {
      this.reset();
      for (const [registry, health] of sources.registries()) this.inc({ registry }, health.requests);
    },
  });
  gauge('registry_cooling_down', '1 while a registry that refused is left alone', ['registry'], (set) => {
    for (const [registry, { coolDownUntil }] of sources.registries())
      set({ registry }, coolDownUntil !== null && coolDownUntil > Date.now() ? 1 : 0);
  });
  gauge('registry_rate_limit_remaining', 'What the registry said is left', ['registry'], (set) => {
    for (const [registry, health] of sources.registries()) {
      if (health.rateLimitRemaining !== null) set({ registry }, health.rateLimitRemaining);
    }
  });
  gauge('registry_ok', '1 when the registry answered last time', ['registry'], (set) => {
    for (const [registry, health] of sources.registries()) set({ registry }, health.state === 'ok' ? 1 : 0);
  });
  gauge('stream_connections', 'Open streams', [], (set) => set({}, sources.streamConnections()));
  collectDefaultMetrics({ register });
  watchRuns(sources.runs, register);
  watchChecks(sources.operations, register);

  const answers = new Histogram({
    name: 'evenkeel_http_request_duration_seconds',
    help: 'HTTP requests by method, route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [register],
  });

  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    observeAnswer: ({ method, route, status, seconds }) =>
      answers.observe({ method, route, status: String(status) }, seconds),
  };
}

type Fill<Label extends string> = (labels: Partial<Record<Label, string>>, value: number, add?: boolean) => void;

/** Runs that end while the server runs: how they ended, how long they took, and how long the service was away. */
function watchRuns(runs: LiveCollection<Run>, register: Registry): void {
  const seconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
  const duration = new Histogram({
    name: 'evenkeel_run_duration_seconds',
    help: 'From the start of a run to its end, by result',
    labelNames: ['kind', 'result'],
    buckets: seconds,
    registers: [register],
  });
  const gap = new Histogram({
    name: 'evenkeel_run_gap_seconds',
    help: 'Old container stopped until new one running',
    buckets: seconds,
    registers: [register],
  });
  const counted = new Set<string>();
  for (const run of runs.values()) if (finished.has(run.state)) counted.add(run.id);
  runs.subscribe(({ changes }) => {
    for (const change of changes) {
      const run = change.op === 'put' ? runs.get(change.key) : undefined;
      if (run === undefined) counted.delete(change.key);
      if (run === undefined || !finished.has(run.state) || counted.has(run.id)) continue;
      counted.add(run.id);
      const started = Date.parse(run.startedAt ?? run.createdAt);
      duration.observe(
        { kind: run.kind, result: run.state },
        (Date.parse(run.finishedAt ?? run.createdAt) - started) / 1000,
      );
      if (run.gapMilliseconds !== null) gap.observe(run.gapMilliseconds / 1000);
    }
  });
}

const ended: ReadonlySet<Operation['state']> = new Set(['succeeded', 'failed', 'cancelled']);

/** Checks that end while the server runs: how they ended and how long they took. */
function watchChecks(operations: LiveCollection<Operation>, register: Registry): void {
  const duration = new Histogram({
    name: 'evenkeel_check_duration_seconds',
    help: 'From the start of a check for updates to its end, by result',
    labelNames: ['result'],
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
    registers: [register],
  });
  const counted = new Set<string>();
  for (const { id, state } of operations.values()) if (ended.has(state)) counted.add(id);
  operations.subscribe(({ changes }) => {
    for (const change of changes) {
      const operation = change.op === 'put' ? operations.get(change.key) : undefined;
      if (operation === undefined) counted.delete(change.key);
      if (operation?.kind !== 'check' || !ended.has(operation.state) || counted.has(operation.id)) continue;
      counted.add(operation.id);
      if (operation.startedAt === null || operation.finishedAt === null) continue;
      duration.observe(
        { result: operation.state },
        (Date.parse(operation.finishedAt) - Date.parse(operation.startedAt)) / 1000,
      );
    }
  });
}
