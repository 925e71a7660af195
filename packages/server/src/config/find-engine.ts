import type { Config } from './config.ts';

export interface EngineSearch {
  /** Undefined when nothing was configured and no usual socket exists. */
  readonly endpoint: string | undefined;
  /** Where it comes from, for people: `EVENKEEL_ENGINE`, `DOCKER_HOST`, `the usual socket`. */
  readonly source: string;
  /** The places that were looked at. */
  readonly tried: readonly string[];
}

/** The engine to manage: the configured one, then `DOCKER_HOST`, then the first usual socket that exists. */
export function findEngine(
  config: Pick<Config, 'engine' | 'dockerHost' | 'homeDirectory' | 'runtimeDirectory'>,
  exists: (path: string) => boolean,
): EngineSearch {
  if (config.engine !== undefined) return { endpoint: config.engine, source: 'EVENKEEL_ENGINE', tried: [] };
  if (config.dockerHost !== undefined) return { endpoint: config.dockerHost, source: 'DOCKER_HOST', tried: [] };
  const sockets = [
    '/var/run/docker.sock',
    ...(config.runtimeDirectory === undefined ? [] : [`${config.runtimeDirectory}/docker.sock`]),
    `${config.homeDirectory}/.docker/run/docker.sock`,
    `${config.homeDirectory}/.docker/desktop/docker.sock`,
    ...(config.runtimeDirectory === undefined ? [] : [`${config.runtimeDirectory}/podman/podman.sock`]),
    '/run/podman/podman.sock',
  ];
  const found = sockets.find((path) => exists(path));
  return { endpoint: found === undefined ? undefined : `unix://${found}`, source: 'the usual socket', tried: sockets };
}
