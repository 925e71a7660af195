import type { CollectionChange } from '@evenkeel/contract';
import { createListeners } from '../listeners.ts';

/** What a subscriber gets: the changes of one publication, and the position after it. */
export interface CollectionDelta {
  readonly position: string;
  readonly changes: readonly CollectionChange[];
}

export interface LiveCollectionOptions<T> {
  readonly topic: string;
  readonly keyOf: (item: T) => string;
  /** Deltas kept for clients that come back; beyond that they get a snapshot. */
  readonly history?: number;
}

/**
 * Items by key, in memory, with a version that grows by one with each publication. Every list and every stream is served
 * from here: a list costs no engine call, and whoever was away gets exactly what it missed.
 *
 * A position reads `<epoch>.<version>`; the epoch differs for each start of the server. Items are values: replace, never mutate.
 */
export class LiveCollection<T> {
  readonly topic: string;
  readonly #keyOf: (item: T) => string;
  readonly #items = new Map<string, T>();
  readonly #history: CollectionDelta[] = [];
  readonly #historyLimit: number;
  readonly #listeners = createListeners<CollectionDelta>();
  readonly #epoch = crypto.randomUUID().slice(0, 8);
  #version = 0;

  constructor(options: LiveCollectionOptions<T>) {
    this.topic = options.topic;
    this.#keyOf = options.keyOf;
    this.#historyLimit = options.history ?? 1000;
  }

  get position(): string {
    return `${this.#epoch}.${this.#version}`;
  }

  get size(): number {
    return this.#items.size;
  }

  get(key: string): T | undefined {
    return this.#items.get(key);
  }

  values(): IterableIterator<T> {
    return this.#items.values();
  }

  /** Keys with their items. */
  entries(): IterableIterator<[string, T]> {
    return this.#items.entries();
  }

  put(item: T): void {
    this.publish([item], []);
  }

  remove(key: string): void {
    this.publish([], [key]);
  }

  /** One publication of several changes. Puts that equal the present item (by JSON) and removals of unknown keys are left out. */
  publish(puts: Iterable<T>, removals: Iterable<string>): void {
    const changes: CollectionChange[] = [];
    for (const key of removals) {
      if (this.#items.delete(key)) changes.push({ op: 'remove', key });
    }
    for (const item of puts) {
      const key = this.#keyOf(item);
      const present = this.#items.get(key);
      if (present !== undefined && JSON.stringify(present) === JSON.stringify(item)) continue;
      this.#items.set(key, item);
      changes.push({ op: 'put', key, item });
    }
    if (changes.length === 0) return;
    this.#version += 1;
    const delta = { position: this.position, changes };
    this.#history.push(delta);
    if (this.#history.length > this.#historyLimit) this.#history.shift();
    this.#listeners.tell(delta);
  }

  /** Deltas after `position`; undefined when they are no longer known: then a snapshot is needed. */
  since(position: string): readonly CollectionDelta[] | undefined {
    const [epoch, version] = position.split('.');
    const known = Number(version);
    if (epoch !== this.#epoch || !Number.isSafeInteger(known) || known > this.#version) return undefined;
    const missing = this.#version - known;
    if (missing > this.#history.length) return undefined;
    return missing === 0 ? [] : this.#history.slice(-missing);
  }

  /** Listeners are called synchronously, in the order of publication. Returns the way to stop. */
  subscribe(listener: (delta: CollectionDelta) => void): () => void {
    return this.#listeners.add(listener);
  }
}
