import type { Operation, OperationLogLine } from '@evenkeel/contract';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import { type Clock, moment } from '../platform/clock.ts';
import { describeError } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import type { OperationsStore } from './operations-store.ts';

const publishEveryMilliseconds = 100;
const flushEveryMilliseconds = 250;
const longestLog = 5000;
const longestLine = 4000;

/** The record of one running operation: what of it is shown at once, and what of it is durable when. */
export interface OperationRecord {
  readonly current: Operation;
  /** Shown at once and written before it returns. A write that fails is thrown, and what is shown stays as it was. */
  change(part: Partial<Operation>): void;
  /** Shown a few times a second, written with the next change. */
  progress(progress: Operation['progress']): void;
  log(level: OperationLogLine['level'], text: string): void;
  /** Lines that are not written yet. */
  pendingLog(): readonly OperationLogLine[];
  /** Shows the end even when it cannot be written; returns false then. */
  end(part: Partial<Operation>): boolean;
}

export function createOperationRecord(parts: {
  first: Operation;
  collection: LiveCollection<Operation>;
  store: OperationsStore;
  clock: Clock;
  log: Log;
  /** Lines of an earlier process, when it is resumed. */
  linesBefore: number;
}): OperationRecord {
  let current = parts.first;
  let written = parts.linesBefore;
  let pending: OperationLogLine[] = [];
  let publishTimer: NodeJS.Timeout | undefined;
  let flushTimer: NodeJS.Timeout | undefined;

  function publish(): void {
    clearTimeout(publishTimer);
    publishTimer = undefined;
    parts.collection.put(current);
  }

  function flush(): void {
    clearTimeout(flushTimer);
    flushTimer = undefined;
    if (pending.length === 0) return;
    try {
      parts.store.appendLog(current.id, written, pending);
      written += pending.length;
      pending = [];
    } catch (error) {
      // The log is for people: that it cannot be written must not end the work. The lines stay for the next attempt.
      parts.log.warn({ operation: current.id, reason: describeError(error) }, 'log lines could not be written');
    }
  }

  function apply(part: Partial<Operation>): void {
    const next = { ...current, ...part };
    parts.store.update(next);
    current = next;
    publish();
  }

  return {
    get current() {
      return current;
    },
    change: apply,
    progress(progress) {
      current = { ...current, progress };
      publishTimer ??= setTimeout(publish, publishEveryMilliseconds).unref();
    },
    log(level, text) {
      const count = written + pending.length;
      if (count > longestLog) return;
      const line = count === longestLog ? 'The log is full; further lines are left out.' : text.slice(0, longestLine);
      pending.push({ at: moment(parts.clock.now()), level, text: line });
      flushTimer ??= setTimeout(flush, flushEveryMilliseconds).unref();
    },
    pendingLog: () => pending,
    end(part) {
      flush();
      try {
        apply(part);
        return true;
      } catch (error) {
        parts.log.error({ operation: current.id, reason: describeError(error) }, 'the end could not be written');
        current = { ...current, ...part };
        publish();
        return false;
      }
    },
  };
}
