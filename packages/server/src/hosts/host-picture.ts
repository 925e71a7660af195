import type { ContainerInspect } from '../platform/engine/engine-types.ts';

/** Events name containers by it: no look through all names for these. */
const fullId = /^[0-9a-f]{64}$/;

type Inspect = (id: string) => Promise<ContainerInspect | undefined>;

/**
 * The containers of one host as they were last inspected. Inspections of the same container follow one another, so that an older
 * answer never overwrites a newer one; of several wishes that wait, one is done.
 */
export class PictureKeeper {
  readonly containers = new Map<string, ContainerInspect>();
  readonly #inspect: Inspect;
  readonly #changed: (id: string) => void;
  readonly #running = new Map<string, Promise<ContainerInspect | undefined>>();
  readonly #waiting = new Map<string, Promise<ContainerInspect | undefined>>();
  /** Removed while an inspect of them was on its way: its answer is older than the removal. */
  readonly #removed = new Set<string>();
  #runningCount = 0;

  constructor(inspect: Inspect, changed: (id: string) => void) {
    this.#inspect = inspect;
    this.#changed = changed;
  }

  /** How many of the containers run. */
  get running(): number {
    return this.#runningCount;
  }

  /** The container as it is after this call. Undefined when it is gone. */
  refresh(idOrName: string): Promise<ContainerInspect | undefined> {
    const id = this.#idOf(idOrName);
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) return waiting;
    const running = this.#running.get(id);
    if (running === undefined) return this.#run(id);
    const next = running
      .catch(() => undefined)
      .then(() => {
        this.#waiting.delete(id);
        return this.#run(id);
      });
    this.#waiting.set(id, next);
    return next;
  }

  /** The engine said that the container is gone for good: ids are never used again. */
  remove(id: string): void {
    if (this.#running.has(id)) this.#removed.add(id);
    const known = this.containers.get(id);
    if (known === undefined) return;
    this.containers.delete(id);
    if (known.State.Running) this.#runningCount -= 1;
    this.#changed(id);
  }

  /** Takes over what is known of a container that cannot be inspected, unless an inspect of it is on its way. */
  assume(container: ContainerInspect): void {
    if (!this.#running.has(container.Id)) this.#put(container);
  }

  #run(id: string): Promise<ContainerInspect | undefined> {
    const run = this.#inspect(id)
      .then((found) => {
        if (found !== undefined && !this.#removed.has(found.Id)) {
          this.#put(found);
          return found;
        }
        this.remove(found?.Id ?? id);
        return undefined;
      })
      .finally(() => {
        this.#running.delete(id);
        this.#removed.delete(id);
      });
    this.#running.set(id, run);
    return run;
  }

  #put(container: ContainerInspect): void {
    if (this.containers.get(container.Id)?.State.Running === true) this.#runningCount -= 1;
    if (container.State.Running) this.#runningCount += 1;
    this.containers.set(container.Id, container);
    this.#changed(container.Id);
  }

  #idOf(idOrName: string): string {
    if (this.containers.has(idOrName) || fullId.test(idOrName)) return idOrName;
    for (const container of this.containers.values()) {
      if (container.Name === `/${idOrName}`) return container.Id;
    }
    return idOrName;
  }
}
