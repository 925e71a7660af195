import type { LogLine } from '@evenkeel/contract';
import type { Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/engine/engine.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { describeError, Fault } from '../platform/fault.ts';
import type { Containers } from './containers.ts';
import { toLogLine } from './read-logs.ts';

export interface LogFollowing {
  readonly host: string;
  /** Id or name. By name, the follower goes on with the container that takes the name. */
  readonly container: string;
  readonly tail: number;
  /** RFC 3339: only lines from then on. */
  readonly since: string | undefined;
  readonly signal: AbortSignal;
  readonly onLines: (lines: readonly LogLine[], skipped: number, container: string) => void;
  readonly onState: (
    state: 'following' | 'replaced' | 'ended' | 'failed',
    container: string,
    reason: string | null,
  ) => void;
}

/** Lines are handed on together, at most this often and this many. */
const batchMilliseconds = 40;
const largestBatch = 2000;
/** How long after its end a container may be shown as running; also the shortest time between two streams. */
const pictureMilliseconds = 500;

/**
 * Follows the output of a container until the signal. The engine ends the stream when the container stops: the follower says so,
 * and goes on when it (or, by name, its replacement) runs again. A host that is away is waited for.
 */
export function createLogFollower({
  hosts,
  containers,
  clock,
}: {
  hosts: Hosts;
  containers: Containers;
  clock: Clock;
}) {
  return function followLogs(request: LogFollowing): void {
    follow(request).catch((error: unknown) => {
      if (!request.signal.aborted) request.onState('failed', request.container, describeError(error));
    });
  };

  async function follow(request: LogFollowing): Promise<void> {
    const { signal } = request;
    const first = containers.find(request.host, request.container);
    const name = first.container.name === request.container ? first.container.name : undefined;
    let since = request.since;
    let tail: number | undefined = request.tail;
    for (let inspect: ContainerInspect | undefined = first.inspect; inspect !== undefined; ) {
      const { Id: followed, Config } = inspect;
      request.onState('following', followed, null);
      const last = await untilEnd(request, followed, { tail, since, tty: Config.Tty ?? false });
      if (signal.aborted) return;
      if (last !== undefined) {
        since = last;
        tail = undefined;
      }
      request.onState('ended', followed, null);
      inspect = await nextToFollow(request.host, name, inspect, signal);
      if (inspect === undefined || inspect.Id === followed) continue;
      request.onState('replaced', inspect.Id, null);
      since = undefined;
      tail = undefined;
    }
  }

  /** Hands on lines until the stream ends; the time of the last one. */
  async function untilEnd(
    { host, signal, onLines }: LogFollowing,
    container: string,
    from: { tail: number | undefined; since: string | undefined; tty: boolean },
  ): Promise<string | undefined> {
    let batch: LogLine[] = [];
    let last: string | undefined;
    let timer: NodeJS.Timeout | undefined;
    const flush = () => {
      clearTimeout(timer);
      timer = undefined;
      if (batch.length === 0) return;
      onLines(batch, 0, container);
      batch = [];
    };
    try {
      const chunks = hosts.engine(host).containers.logs(container, {
        follow: true,
        ...(from.tail === undefined ? {} : { tail: from.tail }),
        ...(from.since === undefined ? {} : { since: from.since }),
        tty: from.tty,
        signal,
      });
      for await (const chunk of chunks) {
        // `since` is inclusive: the line that was handed on last comes again.
        if (from.tail === undefined && chunk.at === from.since) continue;
        batch.push(toLogLine(chunk));
        last = chunk.at;
        if (batch.length >= largestBatch) flush();
        else timer ??= setTimeout(flush, batchMilliseconds);
      }
    } catch (error) {
      // Removed since it was last seen: its replacement may come.
      const gone = error instanceof EngineError && (error.status === 404 || error.status === 409);
      const away = error instanceof Fault && error.code === 'engine_unreachable';
      if (!gone && !away) throw error;
      await clock.sleep(500, signal).catch(() => undefined);
    } finally {
      flush();
    }
    return last;
  }

  /**
   * The container that there may be more to read of: it runs, or has run again since `followed`, or (by name) another one
   * has the name and has run. One that starts and exits at once is not missed. A host that is away is waited for.
   * Undefined when the signal came first.
   */
  async function nextToFollow(
    host: string,
    name: string | undefined,
    followed: ContainerInspect,
    signal: AbortSignal,
  ): Promise<ContainerInspect | undefined> {
    const hasMore = (container: ContainerInspect | undefined) =>
      container !== undefined &&
      (name === undefined ? container.Id === followed.Id : container.Name === `/${name}`) &&
      (container.State.Running || container.State.StartedAt !== startOf(followed, container));
    // The picture may still show as running what has just ended.
    await clock.sleep(pictureMilliseconds, signal).catch(() => undefined);
    const picture = hosts.picture(host);
    const present = picture.stale ? undefined : [...picture.containers.values()].find(hasMore);
    if (present !== undefined || signal.aborted) return signal.aborted ? undefined : present;
    return new Promise((resolve) => {
      const finish = (container: ContainerInspect | undefined) => {
        stop();
        signal.removeEventListener('abort', giveUp);
        resolve(container);
      };
      const giveUp = () => finish(undefined);
      const stop = hosts.onPicture((change) => {
        if (change.host !== host) return;
        const { stale, containers: known } = hosts.picture(host);
        if (stale) return;
        for (const id of change.all ? known.keys() : change.containers) {
          const container = known.get(id);
          if (!hasMore(container)) continue;
          finish(container);
          return;
        }
      });
      signal.addEventListener('abort', giveUp);
    });
  }
}

/** Shown by the engine for a container that has never been started. */
const never = '0001-01-01T00:00:00Z';

/** The start that has been followed already: for another container, that it has never run. */
function startOf(followed: ContainerInspect, container: ContainerInspect): string {
  return container.Id === followed.Id ? followed.State.StartedAt : never;
}
