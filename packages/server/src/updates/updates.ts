import type { Candidate, Operation, Update } from '@evenkeel/contract';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Actor } from '../platform/http/actor.ts';

/** What a run needs to know about the image that it is to bring in. */
export interface ChosenCandidate {
  readonly candidate: Candidate;
  /** What goes into `Config.Image` of the new container: the user's own spelling, with the new tag where it changed. */
  readonly image: string;
  /** What the engine is asked to pull: `repository@digest`, so that a tag that moves meanwhile cannot slip in. */
  readonly pullReference: string;
  /** `registry/repository`, normalised, for credentials. */
  readonly repository: string;
  readonly platform: string | null;
}

/** What is newer: states and candidates of every container on every host. */
export interface Updates {
  readonly collection: LiveCollection<Update>;
  /**
   * The wished candidate, or the best one that is not blocked. Throws `conflict` when there is none (any more), `not_found`
   * for an unknown container, `not_updatable` for local, pinned and bare-id images, with what to do.
   */
  choose(host: string, containerId: string, candidateId: string | undefined): ChosenCandidate;
  /** Starts a check as an operation. */
  check(request: { keys?: readonly string[]; tags?: boolean; actor: Actor }): Operation;
  /** A candidate that was rolled back is not proposed again for this container name until something newer appears. */
  quarantine(entry: { host: string; name: string; candidateId: string; digest: string; reason: string }): void;
  /** After a pull the new image turned out to be the running one: remember that the digests are equal (section 3.5). */
  rememberEqual(entry: { repository: string; digest: string; imageId: string }): void;
  close(): Promise<void>;
}
