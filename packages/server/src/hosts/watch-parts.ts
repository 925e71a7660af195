import type { Host } from '@evenkeel/contract';
import type { Clock } from '../platform/clock.ts';
import type { Engine } from '../platform/engine/engine.ts';
import type { Log } from '../platform/log/log.ts';
import type { PictureKeeper } from './host-picture.ts';

export interface ConfiguredHost {
  readonly id: string;
  readonly name: string;
  /** `unix:///var/run/docker.sock`, `tcp://host:2376`. */
  readonly endpoint: string;
  /** Said instead of the bare error while the engine has never answered: where it was looked for, and what to do. */
  readonly hint?: string;
}

export interface WatchTimes {
  /** The first wait after a lost connection; doubles up to `longestWaitMilliseconds`. */
  readonly firstWaitMilliseconds: number;
  readonly longestWaitMilliseconds: number;
  readonly relistMilliseconds: number;
  readonly heartbeatMilliseconds: number;
  /** A ping that takes longer means that the engine hangs. */
  readonly pingMilliseconds: number;
  /** Until a container that could not be inspected is asked for again; doubles up to `longestRetryMilliseconds`. */
  readonly firstRetryMilliseconds: number;
  readonly longestRetryMilliseconds: number;
}

export const watchTimes: WatchTimes = {
  firstWaitMilliseconds: 500,
  longestWaitMilliseconds: 30_000,
  relistMilliseconds: 5 * 60_000,
  heartbeatMilliseconds: 10_000,
  pingMilliseconds: 10_000,
  firstRetryMilliseconds: 1000,
  longestRetryMilliseconds: 60_000,
};

export interface HostWatchParts {
  readonly host: ConfiguredHost;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: WatchTimes;
  readonly random: () => number;
  /** Ids that changed, or `all` when the picture is new or its staleness changed. */
  readonly onPicture: (change: { all: boolean; containers: readonly string[] }) => void;
  readonly onHost: (host: Host) => void;
  readonly onOnline: () => void;
  /** The engine's images may be others than before. */
  readonly onImages: () => void;
}

export interface HostWatch {
  readonly engine: Engine;
  readonly keeper: PictureKeeper;
  readonly doubtful: ReadonlySet<string>;
  readonly stale: boolean;
  signalledAt(id: string): number | undefined;
  close(): Promise<void>;
}
