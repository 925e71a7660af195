/** Lets one at a time work on each name; the others wait in the order in which they came. */
export class NameQueue {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Takes its place in the queue of every name at once. `ready` resolves when all before it have left; `leave` lets the next go on,
   * also when it was never waited for.
   */
  enter(names: readonly string[]): { readonly ready: Promise<void>; leave(): void } {
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
}
