import type { Clock } from '../platform/clock.ts';

export interface DoubtsParts {
  readonly clock: Clock;
  readonly firstRetryMilliseconds: number;
  readonly longestRetryMilliseconds: number;
  /** Asks for the container again; calls `failed` when that fails too. */
  readonly again: (id: string, signal: AbortSignal) => void;
  /** The first failure of a container that was well. */
  readonly onDoubt: (id: string) => void;
}

/**
 * Containers that the engine could not show when it was asked: what is known of them is old. Each is asked for again after a wait
 * that doubles; an engine with one broken container stays in use.
 */
export interface Doubts {
  readonly ids: ReadonlySet<string>;
  /** Asked for again soon, so that nobody else has to. */
  isWaiting(id: string): boolean;
  /** The signal ends the wait: with the connection, after which everything is listed anew. */
  failed(id: string, signal: AbortSignal): void;
  /** It has been seen again, or is gone. */
  settled(id: string): void;
}

export function createDoubts(parts: DoubtsParts): Doubts {
  const ids = new Set<string>();
  const attempts = new Map<string, number>();
  const waiting = new Map<string, AbortController>();

  function failed(id: string, signal: AbortSignal): void {
    if (!ids.has(id)) {
      ids.add(id);
      parts.onDoubt(id);
    }
    if (waiting.has(id)) return;
    const before = attempts.get(id) ?? 0;
    attempts.set(id, before + 1);
    const controller = new AbortController();
    waiting.set(id, controller);
    const over = () => {
      if (waiting.get(id) === controller) waiting.delete(id);
    };
    parts.clock
      .sleep(
        Math.min(parts.firstRetryMilliseconds * 2 ** before, parts.longestRetryMilliseconds),
        AbortSignal.any([signal, controller.signal]),
      )
      .then(() => {
        over();
        parts.again(id, signal);
      }, over);
  }

  return {
    ids,
    isWaiting: (id) => waiting.has(id),
    failed,
    settled(id) {
      ids.delete(id);
      attempts.delete(id);
      waiting.get(id)?.abort();
      waiting.delete(id);
    },
  };
}
