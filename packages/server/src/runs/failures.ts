import type { ErrorCode } from '@evenkeel/contract';
import { EngineError } from '../platform/engine/engine.ts';
import { describeError, Fault } from '../platform/fault.ts';
import { Drift, type Failure, GateFailure } from './run.ts';

/** What stopped a run, told apart by who is at fault: only a bad image is put into quarantine. */
export function failureOf(error: unknown): Failure {
  const reason = describeError(error);
  if (error instanceof Drift) {
    const leaveStopped = error.leaveStopped === undefined ? [] : [error.leaveStopped];
    return { cause: 'foreign', code: 'conflict', reason, leaveStopped };
  }
  if (error instanceof GateFailure) return { cause: 'image', code: 'conflict', reason, leaveStopped: [] };
  if (error instanceof EngineError)
    return {
      cause: 'world',
      code: 'engine_refused',
      reason: `The engine refused ${error.call}: ${reason}`,
      leaveStopped: [],
    };
  if (error instanceof Fault) return { cause: 'world', code: error.code, reason, leaveStopped: [] };
  return { cause: 'world', code: 'internal', reason: `An error of ours: ${reason}`, leaveStopped: [] };
}

export const interrupted: Failure = {
  cause: 'interrupted',
  code: 'interrupted',
  reason: 'The work was interrupted before the new container had taken the place of the old one, so the old one stays.',
  leaveStopped: [],
};

/** The error with which the operation of a failed run ends. */
export function faultOf({ code, reason }: Failure): Fault {
  const known: readonly ErrorCode[] = [
    'conflict',
    'not_updatable',
    'fidelity_mismatch',
    'engine_refused',
    'engine_unreachable',
    'registry_sick',
    'registry_denied',
    'disk_full',
    'read_only',
  ];
  return new Fault(known.find((one) => one === code) ?? 'conflict', reason);
}

/** True when the journal could not be written: nothing was done then, and nothing must be done until it can. */
export function isJournalFault(error: unknown): boolean {
  return (
    error instanceof Fault && (error.code === 'disk_full' || error.code === 'read_only' || error.code === 'locked')
  );
}
