import type { Host } from '@evenkeel/contract';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Notices } from './notices.ts';

/** Keeps one notice per host that does not answer, for as long as it does not. Returns the way to stop. */
export function watchHosts(hosts: LiveCollection<Host>, notices: Notices): () => void {
  const look = (host: Host) => {
    const code = `host_unreachable:${host.id}`;
    if (host.state !== 'unreachable') notices.clear(code);
    else
      notices.set({
        code,
        severity: 'error',
        text: `The Docker Engine "${host.name}" cannot be reached.`,
        remedy: host.reason,
      });
  };
  for (const host of hosts.values()) look(host);
  return hosts.subscribe(({ changes }) => {
    for (const change of changes) {
      const host = change.op === 'put' ? hosts.get(change.key) : undefined;
      if (host === undefined) notices.clear(`host_unreachable:${change.key}`);
      else look(host);
    }
  });
}
