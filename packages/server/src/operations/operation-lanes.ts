/** What waits for its turn. */
export interface Waiting {
  readonly lane: { readonly name: string; readonly limit: number } | undefined;
  readonly begin: () => void;
}

/** Bounds how many of the same lane run at once; the others begin in the order in which they came. */
export class OperationLanes {
  readonly #running = new Map<string, number>();
  readonly #waiting: Waiting[] = [];

  /** Begins at once where there is room, otherwise later. Returns the way to give up waiting. */
  enter(waiting: Waiting): () => void {
    this.#waiting.push(waiting);
    this.#advance();
    return () => {
      const at = this.#waiting.indexOf(waiting);
      if (at >= 0) this.#waiting.splice(at, 1);
    };
  }

  leave(lane: Waiting['lane']): void {
    if (lane === undefined) return;
    this.#running.set(lane.name, (this.#running.get(lane.name) ?? 1) - 1);
    this.#advance();
  }

  #advance(): void {
    for (const waiting of [...this.#waiting]) {
      if (!this.#hasRoom(waiting.lane)) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      if (waiting.lane !== undefined)
        this.#running.set(waiting.lane.name, (this.#running.get(waiting.lane.name) ?? 0) + 1);
      waiting.begin();
    }
  }

  #hasRoom(lane: Waiting['lane']): boolean {
    return lane === undefined || (this.#running.get(lane.name) ?? 0) < lane.limit;
  }
}
