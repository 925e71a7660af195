import type { Container, Run } from '@evenkeel/contract';
import { useSyncExternalStore } from 'react';

/** One container that is to be updated, to the best candidate or to a chosen one. */
export interface UpdateTarget {
  host: string;
  container: string;
  name: string;
  candidate?: string;
}

/** What a person has asked for and has to confirm. Pages, rows and the palette ask; the shell shows the dialog. */
export type Intent =
  | { kind: 'update'; targets: readonly UpdateTarget[] }
  | { kind: 'rollback'; run: Run }
  | { kind: 'stop' | 'restart'; containers: readonly Container[] };

let current: Intent | null = null;
const listeners = new Set<() => void>();

export function ask(intent: Intent | null): void {
  current = intent;
  for (const listener of listeners) listener();
}

export function useIntent(): Intent | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
