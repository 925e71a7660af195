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
    const byName = first.container.name === request.container;
    let since = request.since;
    let tail: number | undefined = request.tail;
    let followed = first.container.id;
    while (!signal.aborted) {
      const { container, inspect } = containers.find(request.host, byName ? first.container.name : followed);
      if (container.id !== followed) {
        request.onState('replaced', container.id, null);
        since = undefined;
        tail = undefined;
      }
      followed = container.id;
      request.onState('following', followed, null);
      const last = await untilEnd(request, followed, { tail, since, tty: inspect.Config.Tty ?? false });
      if (signal.aborted) return;
      since = last ?? since;
      tail = undefined;
      request.onState('ended', followed, null);
      await untilMore(request.host, byName ? first.container.name : undefined, inspect, signal);
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
   * Resolves when there may be more to read: the container runs, or has run again since `followed`, or (by name) another one
   * has the name and has run. One that starts and exits at once is not missed. A host that is away is waited for.
   */
  async function untilMore(
    host: string,
    name: string | undefined,
    followed: ContainerInspect,
    signal: AbortSignal,
  ): Promise<void> {
    const isMore = (container: ContainerInspect | undefined) =>
      container !== undefined &&
      (name === undefined ? container.Id === followed.Id : container.Name === `/${name}`) &&
      (container.State.Running || container.State.StartedAt !== startOf(followed, container));
    const picture = hosts.picture(host);
    if (!picture.stale && [...picture.containers.values()].some(isMore)) {
      // The stream ended although it runs: do not ask again at once.
      await clock.sleep(500, signal).catch(() => undefined);
      return;
    }
    await new Promise<void>((resolve) => {
      const finish = () => {
        stop();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const stop = hosts.onPicture((change) => {
        if (change.host !== host) return;
        const { stale, containers: known } = hosts.picture(host);
        const changed = change.all ? known.keys() : change.containers;
        if (!stale && [...changed].some((id) => isMore(known.get(id)))) finish();
      });
      signal.addEventListener('abort', finish);
      if (signal.aborted) finish();
    });
  }
}

/** Shown by the engine for a container that has never been started. */
const never = '0001-01-01T00:00:00Z';

/** The start that has been followed already: for another container, that it has never run. */
function startOf(followed: ContainerInspect, container: ContainerInspect): string {
  return container.Id === followed.Id ? followed.State.StartedAt : never;
}
