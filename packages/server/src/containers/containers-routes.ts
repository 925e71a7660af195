import { routes } from '@evenkeel/contract';
import type { Hosts } from '../hosts/index.ts';
import type { Operations } from '../operations/index.ts';
import { EngineError } from '../platform/engine/engine.ts';
import { Fault } from '../platform/fault.ts';
import type { Router } from '../platform/http/router.ts';
import type { Store } from '../platform/store/store.ts';
import { toDetail } from './container-map.ts';
import type { Containers } from './containers.ts';
import { readLogs } from './read-logs.ts';

type Found = ReturnType<Containers['find']>;
type Verb = 'start' | 'stop' | 'restart';
const done: Readonly<Record<Verb, string>> = { start: 'started', stop: 'stopped', restart: 'restarted' };

export interface ContainerRoutesParts {
  readonly hosts: Hosts;
  readonly containers: Containers;
  readonly operations: Operations;
  readonly store: Pick<Store, 'readOnly'>;
}

export function registerContainerRoutes(router: Router, parts: ContainerRoutesParts): void {
  const { hosts, containers, operations, store } = parts;

  router.list(routes.listContainers, {
    collection: containers.collection,
    matches: (container, query) =>
      (query.host === undefined || container.host === query.host) &&
      (query.state === undefined || container.state === query.state) &&
      (query.stack === undefined || container.stack === query.stack),
    texts: ({ name, image, stack }) => [name, image, stack ?? ''],
    sorts: {
      name: ({ name }) => name,
      image: ({ image }) => image,
      state: ({ state }) => state,
      host: ({ host }) => host,
      stack: ({ stack }) => stack ?? '',
      createdAt: ({ createdAt }) => createdAt,
    },
  });

  router.handle(routes.getContainer, ({ params }) => {
    const { container, inspect } = containers.find(params.host, params.container);
    return toDetail(inspect, { host: container.host, stale: container.stale, self: containers.self });
  });

  router.handle(routes.containerLogs, async ({ params, query, request }) => {
    const { container, inspect } = containers.find(params.host, params.container);
    const tty = inspect.Config.Tty ?? false;
    return readLogs(hosts.engine(container.host), container.id, { ...query, tty, signal: request.signal });
  });

  /** Does one thing to a container that nobody else is at work on, and waits until the inventory has seen it. */
  async function act(
    params: { host: string; container: string },
    verb: Verb,
    work: (found: Found) => Promise<void>,
  ): Promise<undefined> {
    // Not `requireWritable`: this writes nothing, and on a full disk it may be what helps.
    if (store.readOnly)
      throw new Fault(
        'read_only',
        `This container cannot be ${done[verb]}: the database cannot be written. The notices say why and what to do.`,
      );
    const found = containers.find(params.host, params.container);
    if (found.container.self && verb !== 'start') {
      throw new Fault(
        'denied',
        `This is the container in which Evenkeel itself runs: to ${verb} it from here would leave nobody to start it again. Use the docker CLI.`,
      );
    }
    const { name } = found.container;
    const title = `${verb[0]?.toUpperCase()}${verb.slice(1)} ${name}`;
    await operations.hold(locksOf(params.host, name), title, async () => {
      try {
        await work(found);
      } catch (error) {
        throw refused(error, verb, name);
      } finally {
        await hosts.refresh(params.host, found.container.id).catch(() => undefined);
      }
    });
    return undefined;
  }

  router.handle(routes.startContainer, ({ params }) =>
    act(params, 'start', ({ container }) => hosts.engine(container.host).containers.start(container.id)),
  );
  router.handle(routes.stopContainer, ({ params, body }) =>
    act(params, 'stop', ({ container }) => hosts.engine(container.host).containers.stop(container.id, timeout(body))),
  );
  router.handle(routes.restartContainer, ({ params, body }) =>
    act(params, 'restart', ({ container }) =>
      hosts.engine(container.host).containers.restart(container.id, timeout(body)),
    ),
  );
}

/** What a run that has the container in its hands holds; it calls the old and the new one `web.prev.<run>` and `web.next.<run>` meanwhile. */
function locksOf(host: string, name: string): string[] {
  const [, plain] = /^(.+)\.(?:next|prev|hold)\.[0-9a-f]{12}$/.exec(name) ?? [];
  return [name, ...(plain === undefined ? [] : [plain])].map((one) => `${host}/${one}`);
}

function timeout(body: { timeoutSeconds?: number | undefined }): { timeoutSeconds?: number } {
  return body.timeoutSeconds === undefined ? {} : { timeoutSeconds: body.timeoutSeconds };
}

function refused(error: unknown, verb: Verb, name: string): unknown {
  if (!(error instanceof EngineError)) return error;
  if (error.status === 404) return new Fault('not_found', `The container "${name}" is gone.`, { cause: error });
  if (error.status === 409)
    return new Fault('conflict', `The engine cannot ${verb} "${name}" now: ${error.message}`, { cause: error });
  return new Fault('engine_refused', `The engine could not ${verb} "${name}": ${error.message}`, { cause: error });
}
