import type { Container } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
import { describeError } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import { type Alarm, createAlarm } from './alarm.ts';
import { createLocalImages, type LocalImages } from './local-images.ts';
import { createLooks, type Looks } from './looks.ts';
import type { LocalImage, Observed } from './observed.ts';

export interface InventoryOptions {
  readonly hosts: Hosts;
  readonly containers: Containers;
  readonly clock: Clock;
  readonly log: Log;
  /** These containers are to be judged again; new ones have never been. */
  readonly onChange: (keys: readonly string[], fresh: readonly string[]) => void;
  readonly onGone: (keys: readonly string[]) => void;
  /** The images that matter to the containers of a host, after each look at them. */
  readonly onImages: (images: readonly LocalImage[]) => void;
}

/** The containers of all hosts with the local images that matter to them, following the live inventory. */
export interface Inventory {
  /** Takes up what is there and follows from then on; `onChange` is not called before. */
  start(): void;
  keys(): Iterable<string>;
  container(key: string): Container | undefined;
  /** True where the containers and images of the host have been seen. */
  knows(host: string): boolean;
  /** Undefined while the images of the host are not known. */
  observed(key: string): Observed | undefined;
  /** Looks at the images of the host again; many calls at a time make two looks. Throws when the engine does not answer. */
  refresh(host: string): Promise<void>;
  close(): void;
}

interface HostImages {
  readonly keys: Set<string>;
  readonly images: LocalImages;
  readonly looks: Looks;
  /** Rings when the engine has said no more about its images for a moment. */
  readonly settled: Alarm;
  /** When the engine said the first of what has not been looked at yet. */
  changedAt: number | undefined;
}

/** A pull, a prune or a build says several things in a row; one look afterwards is enough, and a long one is not waited for. */
const settleMilliseconds = 300;
const longestSettleMilliseconds = 2000;

export function createInventory(options: InventoryOptions): Inventory {
  const { hosts, containers, clock, log, onChange, onGone, onImages } = options;
  const known = new Map<string, Container>();
  const perHost = new Map<string, HostImages>();

  function hostOf(host: string): HostImages {
    const present = perHost.get(host);
    if (present) return present;
    const made: HostImages = {
      keys: new Set(),
      images: createLocalImages(),
      looks: createLooks(() => look(host, made)),
      settled: createAlarm({ clock, ring: () => refreshQuietly(host) }),
      changedAt: undefined,
    };
    perHost.set(host, made);
    return made;
  }

  async function look(host: string, { keys, images }: HostImages): Promise<void> {
    const wanted = [...keys].flatMap((key) => {
      const container = known.get(key);
      return container ? [container.imageId, container.image] : [];
    });
    await images.refresh(hosts.engine(host), wanted);
    onImages([...images.all()]);
    onChange([...keys], []);
  }

  function refreshQuietly(host: string): void {
    const state = hostOf(host);
    state.changedAt = undefined;
    state.looks
      .again()
      .catch((error: unknown) =>
        log.debug({ host, reason: describeError(error) }, 'the images of the host are not known'),
      );
  }

  function settle(host: string): void {
    const state = hostOf(host);
    const now = clock.now();
    state.changedAt ??= now;
    state.settled.set(Math.min(now + settleMilliseconds, state.changedAt + longestSettleMilliseconds));
  }

  function take(puts: readonly Container[], removals: readonly string[]): void {
    const changed: string[] = [];
    const fresh: string[] = [];
    const look = new Set<string>();
    for (const container of puts) {
      const before = known.get(container.key);
      known.set(container.key, container);
      hostOf(container.host).keys.add(container.key);
      if (before === undefined) fresh.push(container.key);
      if (before === undefined || before.imageId !== container.imageId) look.add(container.host);
      else if (!isSame(before, container)) changed.push(container.key);
    }
    const gone = removals.filter(remove);
    if (gone.length > 0) onGone(gone);
    if (changed.length > 0 || fresh.length > 0) onChange([...changed, ...fresh], fresh);
    for (const host of look) refreshQuietly(host);
  }

  function remove(key: string): boolean {
    const container = known.get(key);
    if (container !== undefined) hostOf(container.host).keys.delete(key);
    return known.delete(key);
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
        hosts.onImages(settle),
      );
      take([...containers.collection.values()], []);
    },
    keys: () => known.keys(),
    container: (key) => known.get(key),
    knows: (host) => perHost.get(host)?.images.known ?? false,
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
    refresh: (host) => hostOf(host).looks.again(),
    close() {
      for (const stop of stops.splice(0)) stop();
      for (const { settled } of perHost.values()) settled.close();
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
