import { LiveCollection } from '../../packages/server/src/platform/bus/live-collection.ts';
import type { Engine } from '../../packages/server/src/platform/engine/engine.ts';
import type { ContainerInspect } from '../../packages/server/src/platform/engine/engine-types.ts';
import type { Hosts, PictureChange } from '../../packages/server/src/hosts/hosts.ts';

export async function createWatchedHosts(engine: Engine): Promise<Hosts> {
  const host = 'local';
  let containers = new Map<string, ContainerInspect>();
  let stale = true;
  const pictures = new Set<(change: PictureChange) => void>();
  const onlines = new Set<(host: string) => void>();
  const end = new AbortController();
  const tell = (change: PictureChange) => {
    for (const one of pictures) one(change);
  };
  async function refresh(id: string) {
    const found = await engine.containers.inspect(id);
    if (found === undefined) containers.delete(id);
    else containers.set(found.Id, found);
    tell({ host, all: false, containers: [found?.Id ?? id] });
    return found;
  }
  async function connect() {
    const since = String(Date.now() / 1000);
    const listed = await engine.containers.list();
    const found = await Promise.all(listed.map(({ Id }) => engine.containers.inspect(Id)));
    containers = new Map(found.flatMap((one) => (one === undefined ? [] : [[one.Id, one] as const])));
    stale = false;
    tell({ host, all: true, containers: [] });
    for (const one of onlines) one(host);
    return since;
  }
  async function watch() {
    while (!end.signal.aborted) {
      try {
        const since = await connect();
        for await (const event of engine.events({ since, signal: end.signal })) {
          if (event.Type === 'container') await refresh(event.Actor.ID);
        }
      } catch {
        stale = true;
        tell({ host, all: true, containers: [] });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
  const first = Promise.withResolvers<void>();
  onlines.add(() => first.resolve());
  void watch();
  await first.promise;
  return {
    collection: new LiveCollection({ topic: 'hosts', keyOf: ({ id }) => id }),
    ids: () => [host],
    engine: () => engine,
    picture: () => ({ host, stale, containers }),
    onPicture(listener) {
      pictures.add(listener);
      return () => pictures.delete(listener);
    },
    onOnline(listener) {
      onlines.add(listener);
      return () => onlines.delete(listener);
    },
    refresh: (_, id) => refresh(id),
    async close() {
      end.abort();
    },
  };
}
