import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { nameOf } from './run.ts';

const loopback = new Set(['localhost', '127.0.0.1', '[::1]', '0.0.0.0']);

/**
 * Whether our way to the engine leads through the container, as with a socket proxy: by its name, an alias, an address, or a port that
 * it publishes. Stopped, nobody could start it again. Pure.
 */
export function carriesEngine(endpoint: string, container: ContainerInspect): boolean {
  if (!/^(tcp|https?):/.test(endpoint)) return false;
  const { hostname, port } = new URL(endpoint.replace(/^tcp:/, 'http:'));
  const { NetworkSettings, Config, HostConfig } = container;
  const networks = Object.values(NetworkSettings.Networks);
  const names = [
    nameOf(container),
    Config.Hostname,
    ...networks.flatMap(({ Aliases, IPAddress, GlobalIPv6Address }) => [
      ...(Aliases ?? []),
      IPAddress,
      GlobalIPv6Address === undefined ? undefined : `[${GlobalIPv6Address}]`,
    ]),
  ];
  if (names.some((name) => name !== undefined && name !== '' && name === hostname)) return true;
  const published = Object.values(HostConfig.PortBindings ?? {}).flatMap((list) =>
    (list ?? []).map(({ HostPort }) => HostPort),
  );
  return loopback.has(hostname) && published.includes(port === '' ? '80' : port);
}
