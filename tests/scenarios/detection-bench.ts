import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Operation, Settings, Update } from '@evenkeel/contract';
import { type TestEngine, uniqueName, waitFor } from '@evenkeel/testbed';
import { createContainers } from '../../packages/server/src/containers/index.ts';
import { createHosts } from '../../packages/server/src/hosts/index.ts';
import { createOperations, operationsMigrations } from '../../packages/server/src/operations/index.ts';
import { systemClock } from '../../packages/server/src/platform/clock.ts';
import { createSealer } from '../../packages/server/src/platform/crypto/sealer.ts';
import { createEngine } from '../../packages/server/src/platform/engine/create-engine.ts';
import { systemActor } from '../../packages/server/src/platform/http/actor.ts';
import { silentLog } from '../../packages/server/src/platform/log/create-log.ts';
import { openStore } from '../../packages/server/src/platform/store/store.ts';
import {
  createRegistries,
  registriesMigrations,
  type StoredRegistries,
} from '../../packages/server/src/registries/index.ts';
import { createSettings, settingsMigrations } from '../../packages/server/src/settings/index.ts';
import { createUpdates, type Updates, updatesMigrations } from '../../packages/server/src/updates/index.ts';

export interface DetectionBench {
  readonly updates: Updates;
  readonly registries: StoredRegistries;
  settings(patch: Partial<Settings>): void;
  /** What is known of the container on the first host; waits until it is there and its images are known. */
  update(name: string): Promise<Update>;
  /** The present entry; undefined when there is none. */
  entry(name: string, host?: string): Update | undefined;
  /** Starts a check of the containers on both hosts. */
  begin(names: readonly string[], tags?: boolean): Promise<Operation>;
  /** Checks the containers on both hosts; resolves with the finished operation. */
  check(names: readonly string[], tags?: boolean): Promise<Operation>;
  stop(): Promise<void>;
}

export interface BenchOptions {
  /** Data folder; a temporary one, removed at the end, when left out. */
  readonly folder?: string;
  readonly timeoutMilliseconds?: number;
  readonly settings?: Partial<Settings>;
  readonly soonMilliseconds?: number;
  /** Default: every registry on this machine is named, as those of the test bed stand there. */
  readonly insecureHosts?: readonly string[];
  readonly dockerConfigFile?: string;
  readonly helperSearchPath?: string;
}

/** Everything that detection needs, wired as the server does, with one engine twice: as the hosts `one` and `two`. */
export async function startDetection(engine: TestEngine, options: BenchOptions = {}): Promise<DetectionBench> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'evenkeel-detection-'));
  const log = silentLog();
  const clock = systemClock;
  const migrations = { ...operationsMigrations, ...settingsMigrations, ...registriesMigrations, ...updatesMigrations };
  const store = await openStore(join(folder, 'evenkeel.db'), { migrations });
  const configured = ['one', 'two'].map((id) => ({ id, name: id, endpoint: engine.url }));
  const hosts = createHosts({ configured, engineFor: ({ endpoint }) => createEngine({ endpoint, log }), clock, log });
  const containers = createContainers({ hosts, self: undefined });
  const settings = createSettings({ store, log });
  settings.change({ checkEveryMinutes: 0, ...options.settings });
  const operations = createOperations({ store, clock, log });
  const registries = createRegistries({
    store,
    sealer: createSealer({ keyFile: join(folder, 'key') }),
    clock,
    log,
    random: Math.random,
    insecureHosts: options.insecureHosts ?? ['127.0.0.1', 'localhost'],
    dockerConfigFile: options.dockerConfigFile,
    ...(options.helperSearchPath === undefined ? {} : { helperSearchPath: options.helperSearchPath }),
    timeoutMilliseconds: options.timeoutMilliseconds ?? 15_000,
  });
  const updates = createUpdates({
    hosts,
    containers,
    registries,
    store,
    settings,
    operations,
    clock,
    log,
    ...(options.soonMilliseconds === undefined ? {} : { soonMilliseconds: options.soonMilliseconds }),
  });

  const entry = (name: string, host = 'one') =>
    [...updates.collection.values()].find((one) => one.name === name && one.host === host);
  const isKnown = (update: Update | undefined) => update !== undefined && update.running.platform !== null;

  async function keysOf(names: readonly string[]): Promise<string[]> {
    const all = names.flatMap((name) => ['one', 'two'].map((host) => ({ name, host })));
    await waitFor(() => all.every(({ name, host }) => isKnown(entry(name, host))), {
      describe: `the containers ${names.join(', ')} to be known on both hosts`,
    });
    return all.flatMap(({ name, host }) => entry(name, host)?.key ?? []);
  }

  const begin = async (names: readonly string[], tags?: boolean) =>
    updates.check({ keys: await keysOf(names), actor: systemActor, ...(tags === undefined ? {} : { tags }) });

  return {
    updates,
    registries,
    settings: (patch) => void settings.change(patch),
    entry,
    async update(name) {
      return waitFor(() => (isKnown(entry(name)) ? entry(name) : undefined), { describe: `${name} to be known` });
    },
    begin,
    check: async (names, tags) => operations.finished((await begin(names, tags)).id),
    async stop() {
      await updates.close();
      await operations.close();
      await registries.close();
      await hosts.close();
      await store.close();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Containers of one test file, created and not started: detection looks at what they were made from. */
export function containersOf(engine: TestEngine) {
  const made: string[] = [];
  return {
    async create(reference: string, labels: Readonly<Record<string, string>> = {}, pull = true): Promise<string> {
      if (pull) await engine.docker('pull', '--quiet', reference);
      const name = uniqueName('detect');
      made.push(name);
      const flags = Object.entries(labels).flatMap(([label, value]) => ['--label', `${label}=${value}`]);
      await engine.docker('create', '--name', name, ...flags, reference);
      return name;
    },
    async remove(): Promise<void> {
      if (made.length > 0) await engine.cli('rm', '--force', ...made.splice(0));
    },
  };
}
