import type { Engine } from '../platform/engine/engine.ts';
import { plainName } from './spec-api.ts';
import type { SpecInput } from './spec-types.ts';

/** What the spec of a container depends on beside the container itself. */
export type Environment = Pick<SpecInput, 'apiVersion' | 'daemonPlatform' | 'daemonName' | 'networks' | 'existing'>;

/** Asks the engine anew: between plan and execution networks and containers come and go. */
export async function observeEnvironment(engine: Engine): Promise<Environment> {
  const [apiVersion, version, info, networks, containers] = await Promise.all([
    engine.apiVersion(),
    engine.version(),
    engine.info(),
    engine.networks.list(),
    engine.containers.list(),
  ]);
  return {
    apiVersion,
    daemonPlatform: `${version.Os}/${version.Arch}`,
    daemonName: info.Name,
    networks: Object.fromEntries(
      networks.map((network) => [
        network.Name,
        {
          id: network.Id,
          driver: network.Driver,
          hasSubnet: (network.IPAM?.Config ?? []).some(({ Subnet }) => Subnet !== undefined && Subnet !== ''),
        },
      ]),
    ),
    existing: new Set(containers.flatMap(({ Id, Names }) => [Id, ...Names.map((name) => plainName(name))])),
  };
}
