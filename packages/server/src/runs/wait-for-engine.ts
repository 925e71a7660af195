import type { Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/engine/engine.ts';
import { Fault } from '../platform/fault.ts';

const firstPauseMs = 250;
const longestPauseMs = 10_000;

/** True for an engine that does not answer, which says nothing about what became of the call. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof Fault && error.code === 'engine_unreachable';
}

/** What a proxy in front of an engine that restarts says instead of it. */
function isOutOfOrder(error: unknown): boolean {
  return error instanceof EngineError && error.status >= 500;
}

/** Resolves when the engine answers again: at its next successful ping, or when the host is reported online. */
export async function waitForEngine(
  { hosts, clock }: { hosts: Hosts; clock: Clock },
  host: string,
  signal: AbortSignal,
): Promise<void> {
  for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestPauseMs)) {
    try {
      await hosts.engine(host).ping(signal);
      return;
    } catch (error) {
      if (!isUnreachable(error) && !isOutOfOrder(error)) throw error;
    }
    await pauseUntilOnline({ hosts, clock }, host, pause, signal);
  }
}

/** Waits, and ends early when the host comes online. Rejects with the reason of the signal. */
export async function pauseUntilOnline(
  { hosts, clock }: { hosts: Hosts; clock: Clock },
  host: string,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const early = new AbortController();
  const stop = hosts.onOnline((online) => {
    if (online === host) early.abort();
  });
  try {
    await clock.sleep(milliseconds, AbortSignal.any([signal, early.signal])).catch(() => signal.throwIfAborted());
  } finally {
    stop();
  }
}
