import type { EngineConnection } from './connection.ts';
import type { EngineNetworks, EngineVolumes } from './engine.ts';
import type { NetworkInspect, VolumeInspect } from './engine-types.ts';
import { absent, segment } from './paths.ts';

/** `/networks/…` of the Engine API. */
export function createNetworkCalls(connection: EngineConnection): EngineNetworks {
  const path = (idOrName: string, rest = '') => `/networks/${segment('network', idOrName)}${rest}`;
  return {
    async list() {
      return (await connection.read<NetworkInspect[]>({ method: 'GET', path: '/networks' })) ?? [];
    },

    async inspect(idOrName) {
      try {
        return await connection.read<NetworkInspect>({ method: 'GET', path: path(idOrName) });
      } catch (error) {
        return absent(error);
      }
    },

    connect: (network, container, endpoint) =>
      connection.change({
        method: 'POST',
        path: path(network, '/connect'),
        json: { Container: container, EndpointConfig: endpoint },
      }),

    disconnect: (network, container, options = {}) =>
      connection.change({
        method: 'POST',
        path: path(network, '/disconnect'),
        json: { Container: container, Force: options.force ?? false },
      }),
  };
}

/** `/volumes/…` of the Engine API. */
export function createVolumeCalls(connection: EngineConnection): EngineVolumes {
  const path = (name: string) => `/volumes/${segment('volume', name)}`;
  return {
    async inspect(name) {
      try {
        return await connection.read<VolumeInspect>({ method: 'GET', path: path(name) });
      } catch (error) {
        return absent(error);
      }
    },

    remove: (name) => connection.change({ method: 'DELETE', path: path(name), accept: [404] }),
  };
}
