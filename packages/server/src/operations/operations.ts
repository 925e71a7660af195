import type { Operation } from '@evenkeel/contract';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import type { Actor } from '../platform/http/actor.ts';

/** What the work of an operation is given. */
export interface OperationContext {
  readonly id: string;
  /** Aborted when the operation is cancelled or the server stops; look at `stopping` to tell them apart. */
  readonly signal: AbortSignal;
  /** True when the server is stopping: leave things so that recovery finishes them, and return by throwing the signal's reason. */
  readonly stopping: () => boolean;
  progress(progress: { done: number; total: number | null; text: string }): void;
  log(level: 'info' | 'warn' | 'error', text: string): void;
  /** From here on it can (or can no longer) be cancelled. */
  setCancellable(cancellable: boolean): void;
}

export interface OperationLane {
  readonly name: string;
  readonly limit: number;
  readonly longest?: number;
}

export interface OperationRequest {
  readonly id?: string;
  readonly kind: Operation['kind'];
  readonly title: string;
  readonly host: string | null;
  /** Names shown to people. */
  readonly targets: readonly string[];
  /** What nobody else may work on meanwhile, for example `local/web`. A taken lock refuses with `busy`. */
  readonly locks: readonly string[];
  /**
   * How many of the same lane run at once; the others wait in the order of their start. With `longest`, no more than that many
   * wait: one more is refused with `too_many_requests`.
   */
  readonly lane?: OperationLane;
  readonly run?: string | null;
  readonly actor: Actor;
  readonly cancellable: boolean;
  /** Returns the summary sentence. A thrown error makes it `failed` with the error's code and detail. */
  readonly work: (context: OperationContext) => Promise<string>;
}

/**
 * Everything that can outlast a request. The record is durable before the work begins; locks are taken at once or refused.
 * After a restart, an operation that was not finished is `failed` with code `interrupted`, unless its owner resumes it.
 */
export interface Operations {
  readonly collection: LiveCollection<Operation>;
  start(request: OperationRequest): Operation;
  /**
   * Takes the locks for as long as the work lasts, without a record: for what is done before its answer leaves. `title` is what others
   * are told who want one of them. Throws `busy` when one is taken.
   */
  hold<T>(locks: readonly string[], title: string, work: () => Promise<T>): Promise<T>;
  /** Takes up an operation that an earlier process left unfinished: same id and record, new work. */
  resume(id: string, request: Omit<OperationRequest, 'id'>): Operation;
  /** Operations that an earlier process left unfinished and that nobody has resumed or abandoned yet. */
  unfinished(): readonly Operation[];
  /** Marks what is unfinished and not resumed as failed. Called once at start, after all owners have resumed theirs. */
  abandonRest(): void;
  cancel(id: string, actor: Actor): Operation;
  /** Resolves with the finished operation. */
  finished(id: string): Promise<Operation>;
  /** Aborts what runs, waits until it has returned. */
  close(): Promise<void>;
}
