import type { RouteSpec } from '@evenkeel/contract';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHosts, type Hosts } from '../hosts/index.ts';
import { createOperations, type Operations, operationsMigrations } from '../operations/index.ts';
import { systemClock } from '../platform/clock.ts';
import { createEngine } from '../platform/engine/create-engine.ts';
import { type RecordedEngine, startRecordedEngine } from '../platform/engine/for-tests/recorded-engine.ts';
import { systemActor } from '../platform/http/actor.ts';
import type { Router } from '../platform/http/router.ts';
import { silentLog } from '../platform/log/create-log.ts';
import { openMemoryStore, type Store } from '../platform/store/store.ts';
import { registerContainerRoutes } from './containers-routes.ts';
import { createContainers } from './create-containers.ts';

const log = silentLog();
let engine: RecordedEngine;
let hosts: Hosts;
let store: Store;
let operations: Operations;
let handlers: Map<string, (context: never) => Promise<unknown>>;

beforeEach(async () => {
  engine = await startRecordedEngine();
  engine.put('web');
  engine.put('web.prev.0123456789ab');
  hosts = createHosts({
    configured: [{ id: 'local', name: 'local', endpoint: engine.endpoint }],
    engineFor: ({ endpoint }) => createEngine({ endpoint, log }),
    clock: systemClock,
    log,
  });
  await vi.waitUntil(() => hosts.collection.get('local')?.state === 'online', { timeout: 60_000 });
  await serve(false);
});
afterEach(async () => {
  engine.hangOrders(false);
  await hosts.close();
  await store.close();
  await engine.stop();
});

async function serve(readOnly: boolean): Promise<void> {
  store = await openMemoryStore(undefined, { migrations: operationsMigrations, readOnly });
  operations = createOperations({ store, clock: systemClock, log });
  handlers = new Map();
  const router: Router = {
    handle: (route: RouteSpec, handler: (context: never) => unknown) =>
      void handlers.set(route.id, async (context) => handler(context)),
    list: () => {},
  };
  registerContainerRoutes(router, {
    hosts,
    containers: createContainers({ hosts, self: undefined }),
    operations,
    store,
  });
}

const ask = (route: string, container = 'web') =>
  handlers.get(route)?.({ params: { host: 'local', container }, body: {} } as never);
const orders = () => engine.calls.filter((call) => call.startsWith('POST'));
const updateOfWeb = (work: () => Promise<string>) =>
  operations.start({
    kind: 'update',
    title: 'Update web',
    host: 'local',
    targets: ['web'],
    locks: ['local/web'],
    actor: systemActor,
    cancellable: true,
    work,
  });
const routes = ['startContainer', 'stopContainer', 'restartContainer'];

describe('what starts, stops and restarts a container', () => {
  test.each(routes)('%s is refused as busy while an update is at work on it, and nothing is sent', async (route) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { id } = updateOfWeb(() => promise);
    // Half-way through an update, the old container has another name.
    for (const container of ['web', 'web.prev.0123456789ab'])
      await expect(ask(route, container)).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining('"Update web" is at work on local/web'),
      });
    expect(orders()).toEqual([]);
    resolve('Done.');
    await operations.finished(id);
    await ask(route);
    expect(orders()).toHaveLength(1);
  });

  test.each(routes)('%s keeps updates of it away until the engine has answered', async (route) => {
    engine.hangOrders(true);
    const answered = ask(route);
    await vi.waitUntil(() => orders().length === 1, { timeout: 60_000 });
    expect(() => updateOfWeb(async () => 'Done.')).toThrow(expect.objectContaining({ code: 'busy' }));
    engine.hangOrders(false);
    await answered;
    await operations.finished(updateOfWeb(async () => 'Done.').id);
  });

  test.each(routes)('%s is refused while the database cannot be written', async (route) => {
    await store.close();
    await serve(true);
    await expect(ask(route)).rejects.toMatchObject({ code: 'read_only' });
    expect(orders()).toEqual([]);
  });
});
