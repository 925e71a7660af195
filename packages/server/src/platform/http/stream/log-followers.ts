import type { ClientMessage } from '@evenkeel/contract';
import type { FollowLogs } from './follow-logs.ts';
import type { StreamLine } from './stream-line.ts';

/** The logs that one client follows. */
export interface LogFollowers {
  follow(message: Extract<ClientMessage, { type: 'follow-logs' }>): void;
  end(subscription: string): void;
  /** Tells what was left out, as soon as there is room, without waiting for the next line. */
  catchUp(): void;
  close(): void;
}

interface Follower {
  readonly controller: AbortController;
  /** Lines that were left out since the last that were sent. */
  skipped: number;
  /** Of which container. */
  container: string;
}

export function createLogFollowers(
  line: StreamLine,
  { followLogs, most }: { readonly followLogs: FollowLogs; readonly most: number },
): LogFollowers {
  const followers = new Map<string, Follower>();

  function tellSkipped(subscription: string, follower: Follower): void {
    if (follower.skipped === 0) return;
    const { container, skipped } = follower;
    follower.skipped = 0;
    line.send({ type: 'log-lines', subscription, container, lines: [], skipped });
  }

  function end(subscription: string): void {
    followers.get(subscription)?.controller.abort();
    followers.delete(subscription);
  }

  return {
    follow(message) {
      const { subscription } = message;
      end(subscription);
      if (followers.size >= most) {
        const detail = `No more than ${most} logs can be followed at once; end one first.`;
        line.send({ type: 'error', code: 'too_many_requests', detail, subscription });
        return;
      }
      const controller = new AbortController();
      const follower: Follower = { controller, skipped: 0, container: message.container };
      followers.set(subscription, follower);
      followLogs({
        host: message.host,
        container: message.container,
        tail: message.tail,
        since: message.since,
        signal: controller.signal,
        onLines: (lines, skipped, container) => {
          if (controller.signal.aborted) return;
          if (follower.container !== container) tellSkipped(subscription, follower);
          follower.container = container;
          if (line.full()) {
            follower.skipped += lines.length + skipped;
            return;
          }
          line.send({
            type: 'log-lines',
            subscription,
            container,
            lines: [...lines],
            skipped: skipped + follower.skipped,
          });
          follower.skipped = 0;
        },
        onState: (state, container, reason) => {
          if (controller.signal.aborted) return;
          tellSkipped(subscription, follower);
          line.send({ type: 'log-state', subscription, state, container, reason });
          if (state === 'failed') end(subscription);
        },
      });
    },
    end,
    catchUp() {
      if (line.full()) return;
      for (const [subscription, follower] of followers) tellSkipped(subscription, follower);
    },
    close() {
      for (const { controller } of followers.values()) controller.abort();
      followers.clear();
    },
  };
}
