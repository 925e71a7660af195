import type { OperationLane } from './operations.ts';

/** What waits for its turn. */
export interface Waiting {
  readonly lane: OperationLane | undefined;
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

  /** Whether one more would have to wait and there are as many waiting as may. */
  isFull(lane: OperationLane): boolean {
    if (lane.longest === undefined || this.#hasRoom(lane)) return false;
    return this.#waiting.filter((waiting) => waiting.lane?.name === lane.name).length >= lane.longest;
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
