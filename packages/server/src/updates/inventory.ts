import type { Container } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { Hosts } from '../hosts/index.ts';
import { describeError } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import { createLocalImages, type LocalImages } from './local-images.ts';
import type { Observed } from './observed.ts';

export interface InventoryOptions {
  readonly hosts: Hosts;
  readonly containers: Containers;
  readonly log: Log;
  /** These containers are to be judged again; new ones have never been. */
  readonly onChange: (keys: readonly string[], fresh: readonly string[]) => void;
  readonly onGone: (keys: readonly string[]) => void;
}

/** The containers of all hosts with the local images that matter to them, following the live inventory. */
export interface Inventory {
  /** Takes up what is there and follows from then on; `onChange` is not called before. */
  start(): void;
  keys(): Iterable<string>;
  container(key: string): Container | undefined;
  /** Undefined while the images of the host are not known. */
  observed(key: string): Observed | undefined;
  /** Looks at the images of the host again. Throws when the engine does not answer. */
  refresh(host: string): Promise<void>;
  close(): void;
}

interface HostImages {
  readonly images: LocalImages;
  running: Promise<void> | undefined;
  again: boolean;
}

export function createInventory({ hosts, containers, log, onChange, onGone }: InventoryOptions): Inventory {
  const known = new Map<string, Container>();
  const perHost = new Map<string, HostImages>();

  function imagesOf(host: string): HostImages {
    const present = perHost.get(host);
    if (present) return present;
    const made: HostImages = { images: createLocalImages(), running: undefined, again: false };
    perHost.set(host, made);
    return made;
  }

  const keysOf = (host: string): string[] =>
    [...known.values()].filter((one) => one.host === host).map(({ key }) => key);

  async function look(host: string, state: HostImages): Promise<void> {
    do {
      state.again = false;
      const wanted = keysOf(host).flatMap((key) => {
        const container = known.get(key);
        return container ? [container.imageId, container.image] : [];
      });
      await state.images.refresh(hosts.engine(host), wanted);
    } while (state.again);
  }

  /** One look at a time; who asks meanwhile waits for one that began after the question. */
  async function refresh(host: string): Promise<void> {
    const state = imagesOf(host);
    if (state.running) state.again = true;
    else
      state.running = look(host, state).finally(() => {
        state.running = undefined;
      });
    await state.running;
    onChange(keysOf(host), []);
  }

  function refreshQuietly(host: string): void {
    refresh(host).catch((error: unknown) =>
      log.debug({ host, reason: describeError(error) }, 'the images of the host are not known'),
    );
  }

  function take(puts: readonly Container[], removals: readonly string[]): void {
    const changed: string[] = [];
    const fresh: string[] = [];
    const look = new Set<string>();
    for (const container of puts) {
      const before = known.get(container.key);
      known.set(container.key, container);
      if (before === undefined) fresh.push(container.key);
      if (before === undefined || before.imageId !== container.imageId) look.add(container.host);
      else if (!isSame(before, container)) changed.push(container.key);
    }
    const gone = removals.filter((key) => known.delete(key));
    if (gone.length > 0) onGone(gone);
    if (changed.length > 0 || fresh.length > 0) onChange([...changed, ...fresh], fresh);
    for (const host of look) refreshQuietly(host);
  }

  const stops: (() => void)[] = [];

  return {
    start() {
      stops.push(
        containers.collection.subscribe(({ changes }) =>
          take(
            changes.flatMap((change) => (change.op === 'put' ? [change.item as Container] : [])),
            changes.flatMap((change) => (change.op === 'remove' ? [change.key] : [])),
          ),
        ),
        hosts.onOnline((host) => refreshQuietly(host)),
      );
      take([...containers.collection.values()], []);
    },
    keys: () => known.keys(),
    container: (key) => known.get(key),
    observed(key) {
      const container = known.get(key);
      const images = container && perHost.get(container.host)?.images;
      if (!container || !images?.known) return undefined;
      return {
        image: container.image,
        imageId: container.imageId,
        stack: container.stack,
        service: container.service,
        running: images.byId(container.imageId),
        named: images.byReference(container.image),
      };
    },
    refresh,
    close() {
      for (const stop of stops.splice(0)) stop();
    },
  };
}

function isSame(one: Container, other: Container): boolean {
  return (
    one.name === other.name &&
    one.image === other.image &&
    one.stack === other.stack &&
    one.service === other.service &&
    JSON.stringify(one.labels) === JSON.stringify(other.labels)
  );
}
