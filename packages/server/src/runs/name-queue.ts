/** A place in the queue of some names. */
export interface Turn {
  /** Resolves when all that came before have left. */
  readonly ready: Promise<void>;
  /** Lets the next go on, also when `ready` was never waited for. Harmless when called again. */
  leave(): void;
}

/** Lets one at a time work on each name; the others wait in the order in which they came. */
export class NameQueue {
  readonly #last = new Map<string, Promise<void>>();

  /** Takes its place in the queue of every name at once, so that no two can wait for each other. */
  enter(names: readonly string[]): Turn {
    const { promise, resolve: leave } = Promise.withResolvers<void>();
    const before = names.map((name) => this.#last.get(name));
    for (const name of names) {
      const mine = Promise.all([this.#last.get(name), promise]).then(() => {});
      this.#last.set(name, mine);
      void mine.then(() => {
        if (this.#last.get(name) === mine) this.#last.delete(name);
      });
    }
    return { ready: Promise.all(before).then(() => {}), leave };
  }

  /** Whether somebody works on the name, or waits for it. */
  taken(name: string): boolean {
    return this.#last.has(name);
  }
}
