import type { LogLine } from '@evenkeel/contract';
import type { Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
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
      await untilRunning(request.host, byName ? { name: first.container.name } : { id: followed }, signal);
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
      if (!(error instanceof Fault) || error.code !== 'engine_unreachable') throw error;
      await clock.sleep(500, signal).catch(() => undefined);
    } finally {
      flush();
    }
    return last;
  }

  /** Resolves when the container (by id), or any container of the name, runs on a host that answers. */
  async function untilRunning(
    host: string,
    which: { id: string } | { name: string },
    signal: AbortSignal,
  ): Promise<void> {
    const runs = () => {
      const picture = hosts.picture(host);
      if (picture.stale) return false;
      const found = [...picture.containers.values()].find((container) =>
        'id' in which ? container.Id === which.id : container.Name === `/${which.name}`,
      );
      return found?.State.Running === true;
    };
    if (runs()) {
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
        if (change.host === host && runs()) finish();
      });
      signal.addEventListener('abort', finish);
    });
  }
}
