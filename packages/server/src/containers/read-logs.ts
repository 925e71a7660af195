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

/** A look back goes through this many lines at first, then through four times as many, until it has found enough. */
const firstLook = 2000;
const furthestLook = 2_000_000;

/** The last lines of a container, oldest first. With `q`, the last of those that hold it. `truncated`: there may be more before them. */
export async function readLogs(engine: Engine, container: string, wish: LogWish): Promise<LogPage> {
  if (wish.until === undefined && wish.q === undefined) {
    const { kept } = await lookBack(engine, container, wish, wish.tail + 1);
    return lastOf(kept, wish.tail, false);
  }
  // The engine counts the tail from the end of all output, so how far to go for lines before `until` is not known before.
  let before = -1;
  for (let lines = Math.max(firstLook, wish.tail + 1); ; lines *= 4) {
    const { kept, read } = await lookBack(engine, container, wish, lines);
    const enough = kept.length > wish.tail;
    const beginning = read === before;
    if (enough || beginning || lines >= furthestLook) return lastOf(kept, wish.tail, !enough && !beginning);
    before = read;
  }
}

function lastOf(lines: LogLine[], count: number, more: boolean): LogPage {
  const surplus = Math.max(0, lines.length - count);
  return { lines: lines.slice(surplus), truncated: more || surplus > 0 };
}

/** The wanted ones of the last `tail` lines, at most one more than wished; and how many lines there were. */
async function lookBack(engine: Engine, container: string, wish: LogWish, tail: number) {
  const wanted = wish.q?.toLowerCase();
  const kept: LogLine[] = [];
  let read = 0;
  const chunks = engine.containers.logs(container, {
    follow: false,
    tail,
    ...(wish.since === undefined ? {} : { since: wish.since }),
    tty: wish.tty,
    signal: wish.signal,
  });
  for await (const chunk of chunks) {
    read += 1;
    if (wish.until !== undefined && !isBefore(chunk.at, wish.until)) continue;
    if (wanted !== undefined && !chunk.text.toLowerCase().includes(wanted)) continue;
    kept.push(toLogLine(chunk));
    if (kept.length > wish.tail + 1) kept.shift();
  }
  return { kept, read };
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
