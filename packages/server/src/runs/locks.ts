import type { JournalMember } from './run.ts';

/** What nobody else may work on meanwhile: the members' names, and what only one container can hold. */
export function locksOf(host: string, members: readonly JournalMember[]): string[] {
  const locks = new Set<string>();
  for (const { name, inspect, role } of members) {
    locks.add(`${host}/${name}`);
    if (role === 'restart') continue;
    for (const [port, bindings] of Object.entries(inspect.HostConfig.PortBindings ?? {})) {
      const protocol = port.split('/')[1] ?? 'tcp';
      for (const { HostPort = '' } of bindings ?? []) {
        if (HostPort !== '' && HostPort !== '0') locks.add(`${host} port ${HostPort}/${protocol}`);
      }
    }
    for (const [network, { IPAMConfig }] of Object.entries(inspect.NetworkSettings.Networks)) {
      const address = IPAMConfig?.IPv4Address || IPAMConfig?.IPv6Address;
      if (address) locks.add(`${host} address ${address} on ${network}`);
    }
  }
  return [...locks];
}
