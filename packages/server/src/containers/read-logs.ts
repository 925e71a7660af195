import type { LogLine, LogPage } from '@evenkeel/contract';
import type { Engine, LogChunk } from '../platform/engine/engine.ts';
import { guessLevel } from './log-level.ts';

export interface LogWish {
  readonly tail: number;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Only lines that hold this text, whatever their case. */
  readonly q?: string | undefined;
  readonly tty: boolean;
  readonly signal: AbortSignal;
}

/** A search looks through this many lines from the end. */
const searchedLines = 50_000;

/** The last lines of a container, oldest first. With `q`, the last of those that hold it. `truncated`: there may be more before them. */
export async function readLogs(engine: Engine, container: string, wish: LogWish): Promise<LogPage> {
  const wanted = wish.q?.toLowerCase();
  const asked = wanted === undefined ? wish.tail : searchedLines;
  const kept: LogLine[] = [];
  let read = 0;
  let dropped = false;
  const chunks = engine.containers.logs(container, {
    follow: false,
    // With `until` the engine counts the tail from the end all the same, so the last ones before it are picked here.
    tail: wish.until === undefined ? asked : searchedLines,
    ...(wish.since === undefined ? {} : { since: wish.since }),
    ...(wish.until === undefined ? {} : { until: wish.until }),
    tty: wish.tty,
    signal: wish.signal,
  });
  for await (const chunk of chunks) {
    read += 1;
    if (wish.until !== undefined && !isBefore(chunk.at, wish.until)) continue;
    if (wanted !== undefined && !chunk.text.toLowerCase().includes(wanted)) continue;
    kept.push(toLogLine(chunk));
    if (kept.length > wish.tail) {
      kept.shift();
      dropped = true;
    }
  }
  return { lines: kept, truncated: dropped || read >= asked };
}

export function toLogLine({ at, stream, text }: LogChunk): LogLine {
  return { at, stream, level: guessLevel(text), text };
}

/** RFC 3339 times of different precision: milliseconds first, then the text with its nanoseconds. */
function isBefore(one: string, other: string): boolean {
  const [first, second] = [Date.parse(one), Date.parse(other)];
  return first === second ? nanoseconds(one) < nanoseconds(other) : first < second;
}

function nanoseconds(text: string): number {
  return Number((/\.(\d+)/.exec(text)?.[1] ?? '').padEnd(9, '0').slice(0, 9));
}
