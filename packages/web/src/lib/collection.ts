import type { CollectionChange } from '@evenkeel/contract';

/** A picture of one collection. A new object whenever something changed, so that React can compare by identity. */
export interface CollectionView<T> {
  readonly items: readonly T[];
  readonly byKey: ReadonlyMap<string, T>;
  /** False until the first snapshot: then "empty" does not mean "none". */
  readonly loaded: boolean;
}

export interface Collection<T> {
  getSnapshot(): CollectionView<T>;
  subscribe(listener: () => void): () => void;
}

export interface WritableCollection<T> extends Collection<T> {
  /** Replaces everything. */
  replace(items: readonly T[]): void;
  /** Applies changes in order. */
  apply(changes: readonly CollectionChange[]): void;
}

/**
 * An external store of keyed items. However many changes arrive, listeners hear of them once per `schedule`d frame.
 */
export function createCollection<T>(
  keyOf: (item: T) => string,
  schedule: (flush: () => void) => void,
): WritableCollection<T> {
  const listeners = new Set<() => void>();
  let working = new Map<string, T>();
  let loaded = false;
  let scheduled = false;
  let view: CollectionView<T> = { items: [], byKey: working, loaded };

  function flush() {
    scheduled = false;
    view = { items: [...working.values()], byKey: working, loaded };
    working = new Map(working);
    for (const listener of listeners) listener();
  }

  function touch() {
    if (scheduled) return;
    scheduled = true;
    schedule(flush);
  }

  return {
    getSnapshot: () => view,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    replace(items) {
      working = new Map(items.map((item) => [keyOf(item), item]));
      loaded = true;
      touch();
    },
    apply(changes) {
      for (const change of changes) {
        if (change.op === 'put') working.set(change.key, change.item as T);
        else working.delete(change.key);
      }
      touch();
    },
  };
}
