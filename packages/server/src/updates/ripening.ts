import type { Update } from '@evenkeel/contract';
import type { Clock } from '../platform/clock.ts';
import { createAlarm } from './alarm.ts';
import { readyAt } from './candidate.ts';

/** Candidates that are held back until they are old enough: that ends without a question. */
export interface Ripening {
  note(update: Update, minimumAgeHours: number): void;
  forget(key: string): void;
  close(): void;
}

/** `due`: something of these containers has become old enough. */
export function createRipening({ clock, due }: { clock: Clock; due: (keys: readonly string[]) => void }): Ripening {
  const times = new Map<string, number>();
  const alarm = createAlarm({
    clock,
    ring() {
      const ripe = [...times].filter(([, at]) => at <= clock.now()).map(([key]) => key);
      for (const key of ripe) times.delete(key);
      due(ripe);
      setAlarm();
    },
  });

  function setAlarm(): void {
    let first: number | undefined;
    for (const at of times.values()) first = first === undefined ? at : Math.min(first, at);
    alarm.set(first);
  }

  return {
    note({ key, candidates }, minimumAgeHours) {
      const at = readyAt(candidates, minimumAgeHours);
      if (times.get(key) === at) return;
      if (at === undefined) times.delete(key);
      else times.set(key, at);
      setAlarm();
    },
    forget(key) {
      if (times.delete(key)) setAlarm();
    },
    close: () => alarm.close(),
  };
}
