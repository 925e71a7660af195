import { useMemo } from 'react';
import { useCollection } from '../../lib/live.ts';
import type { Entry } from './container-rows.ts';

/** Every container with its update state, live. Entries whose parts are unchanged keep their identity. */
export function useEntries(): { entries: readonly Entry[]; loaded: boolean } {
  const containers = useCollection('containers');
  const updates = useCollection('updates');
  const entries = useMemo(
    () => containers.items.map((container) => ({ container, update: updates.byKey.get(container.key) })),
    [containers, updates],
  );
  return { entries, loaded: containers.loaded };
}
