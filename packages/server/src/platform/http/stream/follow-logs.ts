import type { LogLine } from '@evenkeel/contract';

/** What the stream asks for, to show the output of a container to one client. */
export interface LogFollowing {
  readonly host: string;
  /** Id or name. By name, the follower goes on with the container that takes the name. */
  readonly container: string;
  readonly tail: number;
  /** RFC 3339: only lines from then on. */
  readonly since: string | undefined;
  readonly signal: AbortSignal;
  readonly onLines: (lines: readonly LogLine[], skipped: number, container: string) => void;
  /** Nothing more comes after `failed`, and the signal is aborted then. One that follows by id fails when its container is removed. */
  readonly onState: (
    state: 'following' | 'replaced' | 'ended' | 'failed',
    container: string,
    reason: string | null,
  ) => void;
}

/** How the stream gets at container output; the containers slice gives it. Ends with the signal. */
export type FollowLogs = (request: LogFollowing) => void;
