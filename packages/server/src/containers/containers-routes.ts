import { routes } from '@evenkeel/contract';
import type { Hosts } from '../hosts/index.ts';
import { EngineError } from '../platform/engine/engine.ts';
import { Fault } from '../platform/fault.ts';
import type { Router } from '../platform/http/router.ts';
import { toDetail } from './container-map.ts';
import type { Containers } from './containers.ts';
import { readLogs } from './read-logs.ts';

type Found = ReturnType<Containers['find']>;

export function registerContainerRoutes(
  router: Router,
  { hosts, containers }: { hosts: Hosts; containers: Containers },
): void {
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

  /** Does one thing to a container and waits until the inventory has seen it. */
  async function act(params: { host: string; container: string }, verb: string, work: (found: Found) => Promise<void>) {
    const found = containers.find(params.host, params.container);
    if (found.container.self && verb !== 'start') {
      throw new Fault(
        'denied',
        `This is the container in which Evenkeel itself runs: to ${verb} it from here would leave nobody to start it again. Use the docker CLI.`,
      );
    }
    try {
      await work(found);
    } catch (error) {
      throw refused(error, verb, found.container.name);
    } finally {
      await hosts.refresh(params.host, found.container.id).catch(() => undefined);
    }
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

function timeout(body: { timeoutSeconds?: number | undefined }): { timeoutSeconds?: number } {
  return body.timeoutSeconds === undefined ? {} : { timeoutSeconds: body.timeoutSeconds };
}

function refused(error: unknown, verb: string, name: string): unknown {
  if (!(error instanceof EngineError)) return error;
  if (error.status === 404) return new Fault('not_found', `The container "${name}" is gone.`, { cause: error });
  if (error.status === 409)
    return new Fault('conflict', `The engine cannot ${verb} "${name}" now: ${error.message}`, { cause: error });
  return new Fault('engine_refused', `The engine could not ${verb} "${name}": ${error.message}`, { cause: error });
}
