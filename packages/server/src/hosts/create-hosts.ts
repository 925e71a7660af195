import type { Host } from '@evenkeel/contract';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Clock } from '../platform/clock.ts';
import type { Engine } from '../platform/engine/engine.ts';
import { Fault } from '../platform/fault.ts';
import { createListeners } from '../platform/listeners.ts';
import type { Log } from '../platform/log/log.ts';
import { watchHost } from './host-watch.ts';
import type { Hosts, PictureChange } from './hosts.ts';
import { type ConfiguredHost, type HostWatch, type WatchTimes, watchTimes } from './watch-parts.ts';

export interface HostsParts {
  readonly configured: readonly ConfiguredHost[];
  readonly engineFor: (host: ConfiguredHost) => Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: Partial<WatchTimes>;
  readonly random?: () => number;
}

/** Begins to watch every configured host at once; one that does not answer delays no other. */
export function createHosts(parts: HostsParts): Hosts {
  const collection = new LiveCollection<Host>({ topic: 'hosts', keyOf: ({ id }) => id });
  const pictures = createListeners<PictureChange>();
  const online = createListeners<string>();
  const images = createListeners<string>();
  const watches = new Map<string, HostWatch>();

  function watchOf(id: string): HostWatch {
    const watch = watches.get(id);
    if (watch !== undefined) return watch;
    const known = [...watches.keys()].join(', ');
    throw new Fault('not_found', `There is no host "${id}". Known hosts: ${known === '' ? 'none' : known}.`);
  }

  for (const host of parts.configured) {
    const watch = watchHost({
      host,
      engine: parts.engineFor(host),
      clock: parts.clock,
      log: parts.log,
      times: { ...watchTimes, ...parts.times },
      random: parts.random ?? Math.random,
      onPicture: (change) => pictures.tell({ host: host.id, ...change }),
      onHost: (seen) => collection.put(seen),
      onOnline: () => online.tell(host.id),
      onImages: () => images.tell(host.id),
    });
    watches.set(host.id, watch);
  }

  return {
    collection,
    ids: () => [...watches.keys()],
    engine: (host) => watchOf(host).engine,
    picture: (host) => {
      const watch = watchOf(host);
      return { host, stale: watch.stale, containers: watch.keeper.containers, doubtful: watch.doubtful };
    },
    signalledAt: (host, id) => watchOf(host).signalledAt(id),
    onPicture: pictures.add,
    onOnline: online.add,
    onImages: images.add,
    refresh: (host, idOrName) => watchOf(host).keeper.refresh(idOrName),
    close: async () => {
      await Promise.all([...watches.values()].map((watch) => watch.close()));
    },
  };
}
