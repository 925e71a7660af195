import type { Container } from '@evenkeel/contract';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';

/** The containers of all hosts, from memory. */
export interface Containers {
  readonly collection: LiveCollection<Container>;
  /** By id, unique beginning of an id (12 digits or more) or name. Throws `not_found` with what to do. */
  find(host: string, idOrName: string): { container: Container; inspect: ContainerInspect };
  /** The id of the container in which we run, where we run in one. */
  readonly self: string | undefined;
}
