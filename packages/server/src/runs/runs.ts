import type { Gate, Operation, Plan, Run, RunRequest, StartRunsResult } from '@evenkeel/contract';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Actor } from '../platform/http/actor.ts';

/** Update runs: planned, journaled, executed, undone, recovered. */
export interface Runs {
  readonly collection: LiveCollection<Run>;
  /** What an update would do. Changes nothing; refusals are part of the answer. */
  plan(request: RunRequest, signal?: AbortSignal): Promise<Plan>;
  /** One answer per asked container, in the order asked: a run, or why it is refused. Ordered by what depends on what. */
  start(requests: readonly RunRequest[], actor: Actor): Promise<StartRunsResult>;
  /** What going back to the version before a run would do. */
  planRollback(run: string, signal?: AbortSignal): Promise<Plan>;
  /** Goes back to the version that a run replaced: another run, from the kept image. */
  rollBack(run: string, options: { gate?: Gate }, actor: Actor): Promise<Operation>;
  /** Throws `not_found`. */
  find(run: string): Run;
}
