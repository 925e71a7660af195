import type { Clock } from '../platform/clock.ts';
import { createAlarm } from './alarm.ts';

export interface RetriesOptions {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Minutes between two checks by schedule, which end every wait; 0: nothing is asked for by itself. */
  readonly everyMinutes: () => number;
  /** These references are to be asked for again. */
  readonly ask: (references: ReadonlySet<string>) => void;
}

/** References whose last question failed, asked for again before the next check by schedule. */
export interface Retries {
  /** `notBefore`: when the registry wants to be asked again (epoch milliseconds). */
  failed(reference: string, notBefore: number | null): void;
  succeeded(reference: string): void;
  close(): void;
}

const minute = 60_000;
const firstWait = 5 * minute;

/** Five minutes, a quarter of an hour, and so on, each up to a fifth longer; given up where the schedule comes sooner. */
export function createRetries({ clock, random, everyMinutes, ask }: RetriesOptions): Retries {
  const failures = new Map<string, { attempts: number; at: number | undefined }>();
  const alarm = createAlarm({
    clock,
    ring() {
      const due = new Set<string>();
      for (const [reference, failure] of failures) {
        if (failure.at === undefined || failure.at > clock.now()) continue;
        due.add(reference);
        failure.at = undefined;
      }
      setAlarm();
      if (due.size > 0 && everyMinutes() > 0) ask(due);
    },
  });

  function setAlarm(): void {
    const times = [...failures.values()].flatMap(({ at }) => at ?? []);
    alarm.set(times.length === 0 ? undefined : Math.min(...times));
  }

  return {
    failed(reference, notBefore) {
      const attempts = (failures.get(reference)?.attempts ?? 0) + 1;
      const now = clock.now();
      const wait = Math.max(firstWait * 3 ** (attempts - 1), (notBefore ?? now) - now) * (1 + random() / 5);
      failures.set(reference, { attempts, at: wait < everyMinutes() * minute ? now + wait : undefined });
      setAlarm();
    },
    succeeded(reference) {
      if (failures.delete(reference)) setAlarm();
    },
    close: () => alarm.close(),
  };
}
