import type { Container, Settings, Update } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { Hosts } from '../hosts/index.ts';
import { createOperations, operationsMigrations } from '../operations/index.ts';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Engine } from '../platform/engine/engine.ts';
import { Fault } from '../platform/fault.ts';
import { systemActor } from '../platform/http/actor.ts';
import { createListeners } from '../platform/listeners.ts';
import { silentLog } from '../platform/log/create-log.ts';
import { openMemoryStore, type Store } from '../platform/store/store.ts';
import { type TestClock, testClock } from '../platform/test-clock.ts';
import { createSettings, settingsMigrations } from '../settings/index.ts';
import { createUpdates } from './create-updates.ts';
import { type ScriptedRegistry, scriptedRegistry } from './scripted-registry.ts';
import type { Updates } from './updates.ts';
import { updatesMigrations } from './updates-migrations-store.ts';

/** An engine as detection sees it: images with their names. */
export interface ScriptedHost {
  readonly images: Map<string, { tags: string[]; digests: string[] }>;
  /** How often the images were listed. */
  lists: number;
  /** An engine that hangs answers nothing. */
  hangs: boolean;
  /** The engine says that its images have changed. */
  say(): void;
}

/** For tests: detection with a real database, settings and operations; the engines and the registry say what the test writes. */
export interface UpdatesBench {
  readonly updates: Updates;
  readonly registry: ScriptedRegistry;
  readonly clock: TestClock;
  readonly store: Store;
  host(name: string): ScriptedHost;
  /** Puts a container into the inventory; its key is `<host>/<name>`. */
  run(key: string, image: string, imageId: string, labels?: Record<string, string>): void;
  remove(key: string): void;
  settings(patch: Partial<Settings>): void;
  /** Checks as a person does, and waits for the end. */
  check(keys: readonly string[], tags?: boolean): Promise<string>;
  entry(key: string): Update;
  stop(): Promise<void>;
}

export const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

export async function startUpdates(
  options: { registry?: ScriptedRegistry; clock?: TestClock; store?: Store; settings?: Partial<Settings> } = {},
): Promise<UpdatesBench> {
  const clock = options.clock ?? testClock(Date.parse('2026-11-25T00:00:00Z'));
  const registry = options.registry ?? scriptedRegistry();
  const migrations = { ...operationsMigrations, ...settingsMigrations, ...updatesMigrations };
  const store = options.store ?? (await openMemoryStore(undefined, { migrations, readOnly: false }));
  const log = silentLog();
  const settings = createSettings({ store, log });
  settings.change({ checkEveryMinutes: 0, ...options.settings });
  const operations = createOperations({ store, clock, log });
  const hosts = new Map<string, ScriptedHost & { engine: Engine }>();
  const imageEvents = createListeners<string>();
  const collection = new LiveCollection<Container>({ topic: 'containers', keyOf: ({ key }) => key });

  function host(name: string) {
    const present = hosts.get(name);
    if (present) return present;
    const images: ScriptedHost['images'] = new Map();
    const made = {
      images,
      lists: 0,
      hangs: false,
      say: () => imageEvents.tell(name),
      engine: {
        images: {
          async list() {
            made.lists += 1;
            if (made.hangs) await new Promise(() => {});
            return [...images].map(([Id, { tags, digests }]) => ({ Id, RepoTags: tags, RepoDigests: digests }));
          },
          inspect: async (id: string) => ({
            Id: id,
            Os: 'linux',
            Architecture: 'amd64',
            Config: null,
            RootFS: { Type: 'layers', Layers: ['layer'] },
          }),
        },
      } as unknown as Engine,
    };
    hosts.set(name, made);
    return made;
  }

  const updates = createUpdates({
    hosts: {
      ids: () => [...hosts.keys()],
      engine: (name: string) => host(name).engine,
      onOnline: () => () => {},
      onImages: imageEvents.add,
    } as unknown as Hosts,
    containers: {
      collection,
      self: undefined,
      find: (name, id) => {
        throw new Fault('not_found', `${name}/${id}`);
      },
    } satisfies Containers,
    registries: { client: registry.client, pullAuth: async () => undefined },
    store,
    settings,
    operations,
    clock,
    log,
    random: () => 0,
  });

  return {
    updates,
    registry,
    clock,
    store,
    host,
    run(key, image, imageId, labels = {}) {
      const [name = '', id = ''] = key.split('/');
      collection.put(toContainer({ key, host: name, id, name: id, image, imageId, labels }));
    },
    remove: (key) => collection.remove(key),
    settings: (patch) => void settings.change(patch),
    async check(keys, tags) {
      await clock.settle();
      const { id } = updates.check({ keys, actor: systemActor, ...(tags === undefined ? {} : { tags }) });
      const { summary } = await operations.finished(id);
      return summary ?? '';
    },
    entry(key) {
      const update = updates.collection.get(key);
      if (update === undefined) throw new Error(`nothing is known of ${key}`);
      return update;
    },
    async stop() {
      await updates.close();
      await operations.close();
      if (options.store === undefined) await store.close();
    },
  };
}

function toContainer(
  part: Pick<Container, 'key' | 'host' | 'id' | 'name' | 'image' | 'imageId' | 'labels'>,
): Container {
  return {
    ...part,
    state: 'running',
    health: 'none',
    createdAt: '2026-11-25T00:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    exitCode: null,
    restartCount: 0,
    restartPolicy: 'no',
    ports: [],
    networks: [],
    mounts: [],
    stack: null,
    service: null,
    self: false,
    stale: false,
  };
}
