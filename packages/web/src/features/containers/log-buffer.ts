import type { LogLine } from '@evenkeel/contract';
import { type MarkedSpan, parseAnsi, stripAnsi } from '../../lib/ansi.ts';

/** One line as it is shown; or a remark of ours between lines. */
export type LogEntry =
  | { readonly kind: 'line'; readonly number: number; readonly line: LogLine; readonly text: string }
  | { readonly kind: 'remark'; readonly number: number; readonly text: string };

export interface LogView {
  readonly entries: readonly LogEntry[];
  /** Lines that came since the beginning; grows with each addition at the end. */
  readonly arrived: number;
}

export interface LogBuffer {
  getSnapshot(): LogView;
  subscribe(listener: () => void): () => void;
  /** Newer lines, at the end. The oldest go when `limit` is passed. */
  append(lines: readonly LogLine[]): void;
  /** Older lines, at the beginning. */
  prepend(lines: readonly LogLine[]): void;
  remark(text: string): void;
  /** The time of the oldest line held, for asking for what came before. */
  oldest(): string | undefined;
}

/**
 * The lines of one log view, an external store: however fast lines come, listeners hear of them once per frame.
 * `number` orders entries and never changes, also when older ones are put before them.
 */
export function createLogBuffer(schedule: (flush: () => void) => void, limit = 20_000): LogBuffer {
  const listeners = new Set<() => void>();
  let entries: LogEntry[] = [];
  let pending: LogEntry[] = [];
  let next = 0;
  let first = -1;
  let arrived = 0;
  let scheduled = false;
  let view: LogView = { entries, arrived };

  function flush() {
    scheduled = false;
    const all = pending.length > 0 ? [...entries, ...pending] : entries;
    entries = all.length > limit ? all.slice(all.length - limit) : all;
    pending = [];
    view = { entries, arrived };
    for (const listener of listeners) listener();
  }

  function touch() {
    if (scheduled) return;
    scheduled = true;
    schedule(flush);
  }

  function add(entry: (number: number) => LogEntry) {
    pending.push(entry(next));
    next += 1;
    arrived += 1;
    // A hidden tab flushes rarely: what would be dropped anyway need not pile up.
    if (pending.length > limit * 2) pending = pending.slice(-limit);
  }

  return {
    getSnapshot: () => view,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    append(lines) {
      for (const line of lines) add((number) => ({ kind: 'line', number, line, text: stripAnsi(line.text) }));
      touch();
    },
    prepend(lines) {
      const older = lines.map((line, index): LogEntry => {
        return { kind: 'line', number: first - (lines.length - 1 - index), line, text: stripAnsi(line.text) };
      });
      first -= lines.length;
      entries = [...older, ...entries];
      touch();
    },
    remark(text) {
      add((number) => ({ kind: 'remark', number, text }));
      touch();
    },
    oldest() {
      const entry = [...entries, ...pending].find(({ kind }) => kind === 'line');
      return entry?.kind === 'line' ? entry.line.at : undefined;
    },
  };
}

export interface LogFilter {
  readonly q: string;
  readonly onlyHits: boolean;
  readonly level: string | null;
}

const order = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** The entries to show: from the wanted level upwards, and on wish only those with the searched text. */
export function filterLog(entries: readonly LogEntry[], filter: LogFilter): readonly LogEntry[] {
  const q = filter.q.toLowerCase();
  const lowest = filter.level === null ? -1 : order.indexOf(filter.level);
  if (lowest <= 0 && !(filter.onlyHits && q)) return entries;
  return entries.filter((entry) => {
    if (entry.kind === 'remark') return true;
    if (lowest > 0 && order.indexOf(entry.line.level ?? 'info') < lowest) return false;
    return !filter.onlyHits || q === '' || entry.text.toLowerCase().includes(q);
  });
}

/** How many lines hold the text. */
export function countHits(entries: readonly LogEntry[], q: string): number {
  if (q === '') return 0;
  const needle = q.toLowerCase();
  return entries.filter((entry) => entry.kind === 'line' && entry.text.toLowerCase().includes(needle)).length;
}

const parsed = new WeakMap<LogLine, readonly MarkedSpan[]>();

/** The spans of a line, parsed once. */
export function spansOf(line: LogLine): readonly MarkedSpan[] {
  let spans = parsed.get(line);
  if (!spans) {
    spans = parseAnsi(line.text);
    parsed.set(line, spans);
  }
  return spans;
}
