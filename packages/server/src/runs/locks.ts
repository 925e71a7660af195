import type { JournalMember } from './run.ts';
import { namespaceOwner } from './spec-api.ts';

/** The names of the members: whoever else asks for one of them is refused while the run is at work. */
export function namesOf(host: string, members: readonly Pick<JournalMember, 'name'>[]): string[] {
  return members.map(({ name }) => `${host}/${name}`);
}

/**
 * What only one run at a time may work with: the members' names, and what two containers cannot hold, or must not change, at the
 * same time: fixed host ports, static addresses, writable volumes, and the owner of a shared namespace. The others wait.
 */
export function locksOf(host: string, members: readonly JournalMember[]): string[] {
  const locks = new Set(namesOf(host, members));
  for (const { inspect, role } of members) {
    locks.add(`${host} container ${inspect.Id}`);
    if (role === 'restart') continue;
    const { NetworkMode, PidMode, IpcMode, PortBindings } = inspect.HostConfig;
    for (const mode of [NetworkMode, PidMode, IpcMode]) {
      const owner = namespaceOwner(mode);
      if (owner !== undefined) locks.add(`${host} container ${owner}`);
    }
    for (const [port, bindings] of Object.entries(PortBindings ?? {})) {
      const protocol = port.split('/')[1] ?? 'tcp';
      for (const { HostPort = '' } of bindings ?? []) {
        if (HostPort !== '' && HostPort !== '0') locks.add(`${host} port ${HostPort}/${protocol}`);
      }
    }
    for (const [network, { IPAMConfig }] of Object.entries(inspect.NetworkSettings.Networks)) {
      const address = IPAMConfig?.IPv4Address || IPAMConfig?.IPv6Address;
      if (address) locks.add(`${host} address ${address} on ${network}`);
    }
    for (const { Type, Name, RW } of inspect.Mounts) {
      if (Type === 'volume' && RW && Name !== undefined) locks.add(`${host} volume ${Name}`);
    }
  }
  return [...locks];
}
