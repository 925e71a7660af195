/** Who wants to be told of something. They are told at once, in the order in which they came. */
export interface Listeners<T> {
  readonly size: number;
  /** Returns the way to stop. */
  add(listener: (value: T) => void): () => void;
  tell(value: T): void;
}

export function createListeners<T>(): Listeners<T> {
  const known = new Set<(value: T) => void>();
  return {
    get size() {
      return known.size;
    },
    add(listener) {
      // A wrapper of its own: the same function added twice is told twice, and each is stopped by itself.
      const one = (value: T) => listener(value);
      known.add(one);
      return () => known.delete(one);
    },
    tell(value) {
      for (const listener of known) listener(value);
    },
  };
}
