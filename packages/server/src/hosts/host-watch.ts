import type { Host } from '@evenkeel/contract';
import { moment } from '../platform/clock.ts';
import { EngineError } from '../platform/engine/engine.ts';
import type { ContainerSummary, EngineEvent, EngineInfo, EngineVersion } from '../platform/engine/engine-types.ts';
import { describeError } from '../platform/fault.ts';
import { mapBounded } from '../platform/map-bounded.ts';
import { createDoubts } from './doubts.ts';
import { changesImages, containerOf, eventsSince } from './event-meaning.ts';
import { PictureKeeper } from './host-picture.ts';
import { standIn } from './stand-in.ts';
import type { HostWatch, HostWatchParts } from './watch-parts.ts';

interface Facts {
  readonly info: EngineInfo;
  readonly version: EngineVersion;
  readonly apiVersion: string;
}

const inspectionsAtOnce = 8;
const hostPublicationMilliseconds = 100;

/**
 * List once, then follow the events; list again after each gap and on a slow timer. What the engine does not answer for stays as
 * it was last seen, marked stale, and is never read as "no containers".
 */
export function watchHost(parts: HostWatchParts): HostWatch {
  const { host, engine, clock, times } = parts;
  const log = parts.log.child({ host: host.id });
  const closing = new AbortController();
  let state: Host['state'] = 'connecting';
  let reason: string | null = null;
  let facts: Facts | undefined;
  let lastSeenAt: number | undefined;
  let listedAt: number | undefined;
  let eventLag: number | undefined;
  /** Events from before it were read late on purpose. */
  let connectedAt: number | undefined;
  let publication: NodeJS.Timeout | undefined;
  let listing = false;
  const signalled = new Map<string, number>();

  const doubts = createDoubts({
    clock,
    firstRetryMilliseconds: times.firstRetryMilliseconds,
    longestRetryMilliseconds: times.longestRetryMilliseconds,
    again: (id, signal) => void look(id, signal),
    onDoubt: changed,
  });
  const keeper = new PictureKeeper(async (id) => {
    const found = await engine.containers.inspect(id, closing.signal);
    doubts.settled(found?.Id ?? id);
    return found;
  }, changed);

  function changed(id: string): void {
    if (!listing) parts.onPicture({ all: false, containers: [id] });
    publishSoon();
  }

  const ping = (signal: AbortSignal) =>
    engine.ping(AbortSignal.any([signal, AbortSignal.timeout(times.pingMilliseconds)]));

  /** Brings one container up to date; one that cannot be inspected is asked for again later. */
  async function look(id: string, signal: AbortSignal): Promise<void> {
    try {
      await keeper.refresh(id);
    } catch (error) {
      if (signal.aborted) return;
      // Without an answer the connection is about to end, which is told once for all containers.
      const answers =
        error instanceof EngineError ||
        (await ping(signal).then(
          () => true,
          () => false,
        ));
      doubt(id, error, answers ? 'warn' : 'debug', signal);
    }
  }

  function doubt(id: string, error: unknown, level: 'warn' | 'debug', signal: AbortSignal): void {
    if (signal.aborted) return;
    if (!doubts.ids.has(id))
      log[level](
        { container: id, reason: describeError(error) },
        'a container cannot be inspected; it is shown as last seen',
      );
    doubts.failed(id, signal);
  }

  /** The same in a listing, where a failure may also mean that the engine is away: that is thrown. */
  async function lookAtListed(summary: ContainerSummary, signal: AbortSignal): Promise<void> {
    const { Id: id } = summary;
    try {
      if (!doubts.isWaiting(id)) {
        await keeper.refresh(id);
        return;
      }
    } catch (error) {
      signal.throwIfAborted();
      // An engine that still answers has trouble with this container alone.
      if (!(error instanceof EngineError)) await ping(signal);
      doubt(id, error, 'warn', signal);
    }
    keeper.assume(standIn(summary, keeper.containers.get(id)));
  }

  function publish(): void {
    clearTimeout(publication);
    publication = undefined;
    parts.onHost({
      id: host.id,
      name: host.name,
      endpoint: host.endpoint,
      state,
      reason,
      engineVersion: facts?.version.Version ?? null,
      apiVersion: facts?.apiVersion ?? null,
      operatingSystem: facts?.info.OperatingSystem ?? null,
      architecture: facts?.info.Architecture ?? null,
      containers: keeper.containers.size,
      running: keeper.running,
      lastSeenAt: lastSeenAt === undefined ? null : moment(lastSeenAt),
      listedAt: listedAt === undefined ? null : moment(listedAt),
      eventLagMilliseconds: eventLag ?? null,
    });
  }

  /** Many events in a row make one publication of the host. */
  function publishSoon(): void {
    if (closing.signal.aborted) return;
    publication ??= setTimeout(publish, hostPublicationMilliseconds);
  }

  async function list(signal: AbortSignal): Promise<void> {
    const before = new Set(keeper.containers.keys());
    const listed = await engine.containers.list(signal);
    for (const { Id } of listed) before.delete(Id);
    await mapBounded(listed, inspectionsAtOnce, async (one) => {
      signal.throwIfAborted();
      await lookAtListed(one, signal);
    });
    signal.throwIfAborted();
    // Only what was known before the listing can be gone; what was created meanwhile came by its event.
    for (const id of before) remove(id);
    listedAt = clock.now();
    lastSeenAt = listedAt;
  }

  /** The first listing of a connection is one change of the picture, however many containers there are. */
  async function listWhole(signal: AbortSignal): Promise<void> {
    listing = true;
    try {
      await list(signal);
    } finally {
      listing = false;
    }
    state = 'online';
    connectedAt = clock.now();
    reason = null;
    parts.onPicture({ all: true, containers: [] });
    publish();
    parts.onOnline();
  }

  function remove(id: string): void {
    doubts.settled(id);
    signalled.delete(id);
    keeper.remove(id);
  }

  function handle(event: EngineEvent, signal: AbortSignal): void {
    if (changesImages(event)) parts.onImages();
    const id = containerOf(event);
    if (id === undefined) return;
    lastSeenAt = clock.now();
    if (event.Action === 'kill') signalled.set(id, event.timeNano / 1e6);
    const seen = event.Action === 'destroy' ? Promise.resolve(remove(id)) : look(id, signal);
    void seen.then(() => {
      if (event.timeNano / 1e6 > (connectedAt ?? Number.POSITIVE_INFINITY))
        eventLag = Math.max(0, Math.round(clock.now() - event.timeNano / 1e6));
      publishSoon();
    });
  }

  /** Everything that runs beside the event stream; its first failure ends the connection. */
  async function keepAlive(signal: AbortSignal): Promise<never> {
    for (let nextList = clock.now() + times.relistMilliseconds; ; ) {
      await clock.sleep(times.heartbeatMilliseconds, signal);
      await ping(signal);
      lastSeenAt = clock.now();
      publishSoon();
      if (clock.now() < nextList) continue;
      nextList = clock.now() + times.relistMilliseconds;
      await list(signal);
    }
  }

  async function follow(since: string, signal: AbortSignal): Promise<void> {
    for await (const event of engine.events({ since, signal })) handle(event, signal);
    signal.throwIfAborted();
    throw new Error('the event stream ended');
  }

  /** One connection, from the listing to its loss. */
  async function connection(): Promise<void> {
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, closing.signal]);
    try {
      await ping(signal);
      const [info, version, apiVersion] = await Promise.all([engine.info(), engine.version(), engine.apiVersion()]);
      facts = { info, version, apiVersion };
      // Followed from before the listing: engines keep the last 256 events only, fewer than a long listing may bring.
      const following = follow(eventsSince(info, clock), signal);
      const watching = listWhole(signal).then(() => {
        waits = 0;
        return keepAlive(signal);
      });
      await Promise.race([following, watching]);
    } finally {
      ending.abort();
    }
  }

  let waits = 0;
  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await connection();
      } catch (error) {
        if (closing.signal.aborted) return;
        lost(error);
      }
      const longest = Math.min(times.firstWaitMilliseconds * 2 ** waits, times.longestWaitMilliseconds);
      waits += 1;
      await clock.sleep(longest * (0.5 + parts.random() / 2), closing.signal).catch(() => undefined);
    }
  }

  function lost(error: unknown): void {
    const text = describeError(error);
    const hung = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
    if (hung)
      reason = `The engine at ${host.endpoint} does not answer any more. It hangs or is overloaded; look at its log (journalctl -u docker).`;
    else reason = facts === undefined && host.hint !== undefined ? host.hint : text;
    const fresh = state !== 'unreachable';
    state = 'unreachable';
    if (fresh) {
      log.warn({ reason: text }, 'the engine cannot be reached');
      parts.onPicture({ all: true, containers: [] });
    }
    publish();
  }

  publish();
  const running = run();
  return {
    engine,
    keeper,
    doubtful: doubts.ids,
    get stale() {
      return state !== 'online';
    },
    signalledAt: (id) => signalled.get(id),
    close: async () => {
      closing.abort(new Error('the host is closed'));
      clearTimeout(publication);
      await running;
      await engine.close();
    },
  };
}
