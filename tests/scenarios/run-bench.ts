import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Operation, Run, RunRequest } from '@evenkeel/contract';
import type { Containers } from '../../packages/server/src/containers/containers.ts';
import { createHosts, type Hosts } from '../../packages/server/src/hosts/index.ts';
import {
  createOperations,
  type OperationsWithLog,
  operationsMigrations,
} from '../../packages/server/src/operations/index.ts';
import { LiveCollection } from '../../packages/server/src/platform/bus/live-collection.ts';
import { systemClock } from '../../packages/server/src/platform/clock.ts';
import { createSealer } from '../../packages/server/src/platform/crypto/sealer.ts';
import { createEngine, type EngineObserver } from '../../packages/server/src/platform/engine/create-engine.ts';
import type { Engine } from '../../packages/server/src/platform/engine/engine.ts';
import { Fault } from '../../packages/server/src/platform/fault.ts';
import { systemActor } from '../../packages/server/src/platform/http/actor.ts';
import { createLog, silentLog } from '../../packages/server/src/platform/log/create-log.ts';
import { openStore, type Store } from '../../packages/server/src/platform/store/store.ts';
import { createRegistries, registriesMigrations } from '../../packages/server/src/registries/index.ts';
import { createRuns, type Runs, runsMigrations } from '../../packages/server/src/runs/index.ts';
import {
  type ChangeableSettings,
  createSettings,
  settingsMigrations,
} from '../../packages/server/src/settings/index.ts';
import type { ChosenCandidate, Updates } from '../../packages/server/src/updates/updates.ts';

/** What a container may be updated to, as the test says it: detection has its own tests. */
export interface Offers {
  readonly updates: Updates;
  readonly quarantined: { name: string; candidateId: string; reason: string }[];
  readonly rememberedEqual: { digest: string; imageId: string }[];
  set(name: string, chosen: ChosenCandidate): void;
}

export interface RunBench {
  readonly engine: Engine;
  readonly hosts: Hosts;
  readonly runs: Runs;
  readonly operations: OperationsWithLog;
  readonly settings: ChangeableSettings;
  readonly store: Store;
  readonly offers: Offers;
  readonly folder: string;
  /** Starts the update and resolves with the finished run; a refusal throws. */
  update(name: string, options?: Omit<RunRequest, 'host' | 'container'>): Promise<Run>;
  begin(name: string, options?: Omit<RunRequest, 'host' | 'container'>): Promise<string>;
  finished(run: string): Promise<{ run: Run; operation: Operation }>;
  stop(): Promise<void>;
}

export interface BenchOptions {
  readonly endpoint: string;
  /** Data folder; a temporary one, removed at the end, when left out. */
  readonly folder?: string;
  readonly failpoint?: (point: string) => void;
  /** Id of the container in which the bench is to believe that it runs. */
  readonly self?: string;
  /** Its own data there, as it would be on a volume: without it the bench does not update itself. */
  readonly dataDir?: string;
  readonly observe?: EngineObserver;
  /** How long the engine client waits for an answer. */
  readonly timeoutMs?: number;
}

/** The tables of everything on the bench. */
export const benchMigrations = {
  ...operationsMigrations,
  ...settingsMigrations,
  ...registriesMigrations,
  ...runsMigrations,
};

/** Everything that runs need, wired as the server does, on one engine that is called `local`. */
export async function startRunBench(options: BenchOptions): Promise<RunBench> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'evenkeel-runs-'));
  mkdirSync(folder, { recursive: true });
  const log = process.env['EVENKEEL_TEST_LOG'] === undefined ? silentLog() : createLog({ level: 'debug' });
  const clock = systemClock;
  const store = await openStore(join(folder, 'evenkeel.db'), {
    migrations: benchMigrations,
  });
  const sealer = createSealer({ keyFile: join(folder, 'key') });
  const engine = createEngine({
    endpoint: options.endpoint,
    log,
    ...(options.observe === undefined ? {} : { observe: options.observe }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  const configured = { id: 'local', name: 'local', endpoint: options.endpoint };
  const hosts = createHosts({ configured: [configured], engineFor: () => engine, clock, log });
  const settings = createSettings({ store, log });
  if (settings.current().gateSeconds !== 1) settings.change({ gateSeconds: 1, parallelRuns: 8 });
  const operations = createOperations({ store, clock, log });
  const offers = createOffers(hosts);
  const registries = createRegistries({
    store,
    sealer,
    clock,
    log,
    random: Math.random,
    insecureHosts: ['127.0.0.1', 'localhost'],
    dockerConfigFile: undefined,
  });
  const containers = containersOf(hosts, options.self);
  const runs = createRuns({
    hosts,
    containers,
    updates: offers.updates,
    registries,
    store,
    sealer,
    settings,
    operations,
    clock,
    log,
    ...(options.dataDir === undefined ? {} : { home: { dataDir: options.dataDir, keyFile: undefined } }),
    ...(options.failpoint === undefined ? {} : { failpoint: options.failpoint }),
  });
  operations.abandonRest();

  async function begin(name: string, more: Omit<RunRequest, 'host' | 'container'> = {}): Promise<string> {
    await listed(hosts);
    await hosts.refresh('local', name);
    const { results } = await runs.start(
      [{ host: 'local', container: name, gate: { seconds: 1 }, ...more }],
      systemActor,
    );
    const [result] = results;
    if (typeof result?.run === 'string') return result.run;
    throw new Fault('not_updatable', `refused: ${result?.refusal?.code} ${result?.refusal?.text}`);
  }

  async function finished(id: string) {
    const operation = await operations.finished(id);
    return { run: runs.find(id), operation };
  }

  return {
    engine,
    hosts,
    runs,
    operations,
    settings,
    store,
    offers,
    folder,
    begin,
    finished,
    update: async (name, more) => (await finished(await begin(name, more))).run,
    async stop() {
      await operations.close();
      await hosts.close();
      await engine.close();
      await store.close();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A run is only planned when all containers of the host are known. */
async function listed(hosts: Hosts): Promise<void> {
  if (hosts.collection.get('local')?.state === 'online') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = hosts.onOnline(() => resolve());
  await promise;
  stop();
}

/** By name or id from the picture, as the containers slice does it. */
function containersOf(hosts: Hosts, self: string | undefined): Containers {
  return {
    collection: new LiveCollection({ topic: 'containers', keyOf: ({ key }) => key }),
    self,
    find(host, idOrName) {
      const inspect = [...hosts.picture(host).containers.values()].find(
        ({ Id, Name }) => Id === idOrName || Name === `/${idOrName}`,
      );
      if (inspect === undefined) throw new Fault('not_found', `There is no container ${idOrName} on ${host}.`);
      return { inspect } as ReturnType<Containers['find']>;
    },
  };
}

function createOffers(hosts: Hosts): Offers {
  const chosen = new Map<string, ChosenCandidate>();
  const quarantined: Offers['quarantined'] = [];
  const rememberedEqual: Offers['rememberedEqual'] = [];
  return {
    quarantined,
    rememberedEqual,
    set: (name, one) => void chosen.set(name, one),
    updates: {
      collection: new LiveCollection({ topic: 'updates', keyOf: ({ key }) => key }),
      choose(host, containerId) {
        const name = hosts.picture(host).containers.get(containerId)?.Name.slice(1) ?? '';
        const one = chosen.get(name);
        if (one === undefined) throw new Fault('conflict', `Nothing newer is known for ${name}.`);
        return one;
      },
      check: () => {
        throw new Error('Nothing is checked here.');
      },
      quarantine: ({ name, candidateId, reason }) => void quarantined.push({ name, candidateId, reason }),
      rememberEqual: ({ digest, imageId }) => void rememberedEqual.push({ digest, imageId }),
      close: async () => {},
    },
  };
}
