import type { Host } from '@evenkeel/contract';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Engine } from '../platform/engine/engine.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';

/** The raw live picture of one host: the last full inspect of each container, kept when the host does not answer. */
export interface HostPicture {
  readonly host: string;
  readonly stale: boolean;
  readonly containers: ReadonlyMap<string, ContainerInspect>;
  /**
   * Ids of containers that the engine could not show when it was last asked. They are in `containers` as they were last seen, or, if
   * never, with no more than the engine's list tells.
   */
  readonly doubtful: ReadonlySet<string>;
}

/** What changed in a picture. `containers` are ids; `all` when the whole picture is new or its staleness changed. */
export interface PictureChange {
  readonly host: string;
  readonly all: boolean;
  readonly containers: readonly string[];
}

/** The Docker Engines that we manage, each listed once and then watched. */
export interface Hosts {
  readonly collection: LiveCollection<Host>;
  ids(): readonly string[];
  /** Throws `not_found`. */
  engine(host: string): Engine;
  picture(host: string): HostPicture;
  /**
   * When a signal was last sent to the container through the engine, in milliseconds since 1970 by the engine's clock: by a person's
   * `docker stop`, or by the engine as it shuts down. Undefined when none was seen, as with a container that ends by itself.
   */
  signalledAt(host: string, id: string): number | undefined;
  /** Called synchronously after each change of a picture. Returns the way to stop. */
  onPicture(listener: (change: PictureChange) => void): () => void;
  /** Called each time a host has been connected (again) and listed: recovery runs here. */
  onOnline(listener: (host: string) => void): () => void;
  /**
   * Called with the host after each event of its engine that changes its images or their names: pull, tag, untag, delete, load, import,
   * prune. Many may come in a row. Nothing is said of what happened while the host was away; `onOnline` comes after that.
   */
  onImages(listener: (host: string) => void): () => void;
  /** Forces a fresh inspect of one container into the picture; what a caller that just changed it wants to see. */
  refresh(host: string, idOrName: string): Promise<ContainerInspect | undefined>;
  close(): Promise<void>;
}
