import { type ConnectionOptions, createConnection } from './connection.ts';
import { createContainerCalls } from './containers.ts';
import type { Engine } from './engine.ts';
import type { EngineInfo, EngineVersion } from './engine-types.ts';
import { followEvents } from './events.ts';
import { createImageCalls } from './images.ts';
import { createNetworkCalls, createVolumeCalls } from './networks.ts';

export type { EngineObserver, EngineTls } from './connection.ts';
export type EngineOptions = ConnectionOptions;

/**
 * A client of one Docker Engine over its Unix socket, TCP or TLS. Connects with the first call.
 * Throws `bad_input` for an endpoint that cannot be one.
 *
 * ```ts
 * const engine = createEngine({ endpoint: 'unix:///var/run/docker.sock', log });
 * for (const { Names } of await engine.containers.list()) log.info({ names: Names });
 * await engine.close();
 * ```
 */
export function createEngine(options: EngineOptions): Engine {
  const connection = createConnection(options);
  const get = async <T>(path: string): Promise<T> => (await connection.read<T>({ method: 'GET', path })) as T;
  return {
    endpoint: connection.endpoint,
    apiVersion: connection.apiVersion,
    ping: connection.ping,
    version: () => get<EngineVersion>('/version'),
    info: () => get<EngineInfo>('/info'),
    containers: createContainerCalls(connection),
    images: createImageCalls(connection),
    networks: createNetworkCalls(connection),
    volumes: createVolumeCalls(connection),
    events: (eventOptions) => followEvents(connection, eventOptions),
    close: connection.close,
  };
}
