import type { Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { describeError, Fault } from '../platform/fault.ts';
import type { LogFollowing } from '../platform/http/stream/follow-logs.ts';
import type { Containers } from './containers.ts';
import { nextStart, untilSuccessor } from './log-successor.ts';
import { createSharedLog, type LogStart, type SharedLog } from './shared-log.ts';

export interface LogLimits {
  /** Containers whose output is followed at the same time, on all hosts together. */
  readonly streams: number;
  /** What is kept in memory of each of them, for those who come later. */
  readonly lines: number;
  readonly characters: number;
}

const defaultLimits: LogLimits = { streams: 200, lines: 2000, characters: 256 * 1024 };

export interface LogFollowerParts {
  readonly hosts: Hosts;
  readonly containers: Containers;
  readonly clock: Clock;
  readonly limits?: Partial<LogLimits>;
}

/**
 * Follows the output of a container until the signal. The engine ends the stream when the container stops: the follower says so,
 * and goes on when it (or, by name, its replacement) runs again. A host that is away is waited for. All who follow the same container
 * share one stream of its engine.
 */
export function createLogFollower(parts: LogFollowerParts) {
  const { hosts, containers, clock } = parts;
  const limits = { ...defaultLimits, ...parts.limits };
  const shared = new Map<string, SharedLog>();

  return function followLogs(request: LogFollowing): void {
    try {
      const { container, inspect } = containers.find(request.host, request.container);
      const name = container.name === request.container ? container.name : undefined;
      join(request, inspect, { tail: request.tail, since: request.since }, name);
    } catch (error) {
      request.onState('failed', request.container, describeError(error));
    }
  };

  function join(request: LogFollowing, inspect: ContainerInspect, start: LogStart, name: string | undefined): void {
    const { host, signal } = request;
    const { Id: id } = inspect;
    if (signal.aborted) return;
    /** Ends with this container, also when another one takes over. */
    const over = new AbortController();
    let waiting: AbortController | undefined;

    /** By name: looks out for the container that takes the name, while this one does not run. */
    const lookOut = (taken: string) => {
      if (waiting !== undefined) return;
      waiting = new AbortController();
      const until = AbortSignal.any([signal, over.signal, waiting.signal]);
      void untilSuccessor(hosts, { host, name: taken, after: id, signal: until }).then((successor) => {
        if (successor === undefined) return;
        over.abort();
        request.onState('replaced', successor.Id, null);
        try {
          join(request, successor, { tail: undefined, since: undefined }, name);
        } catch (error) {
          request.onState('failed', successor.Id, describeError(error));
        }
      });
    };

    const leave = sharedLog(host, inspect).join(start, {
      onLines: (lines, skipped) => request.onLines(lines, skipped, id),
      onState: (state) => {
        request.onState(state, id, null);
        waiting?.abort();
        waiting = undefined;
        if (state === 'ended' && name !== undefined) lookOut(name);
      },
      onOver: (why, reason) => {
        if (why === 'gone' && name !== undefined) lookOut(name);
        else request.onState('failed', id, reason);
      },
    });
    AbortSignal.any([signal, over.signal]).addEventListener('abort', leave);
  }

  /** Throws `too_many_requests` where one more would be too many. */
  function sharedLog(host: string, inspect: ContainerInspect): SharedLog {
    const key = `${host}/${inspect.Id}`;
    const known = shared.get(key);
    if (known !== undefined) return known;
    if (shared.size >= limits.streams)
      throw new Fault(
        'too_many_requests',
        `The output of ${limits.streams} containers is followed already, which is as many as this server follows at once. Close another log first.`,
      );
    const log = createSharedLog({
      engine: hosts.engine(host),
      container: inspect,
      clock,
      ring: limits,
      nextStart: (ended, signal) => nextStart(hosts, clock, { host, ended, signal }),
      onClosed: () => shared.delete(key),
    });
    shared.set(key, log);
    return log;
  }
}
