import type { Run } from '@evenkeel/contract';
import type { OperationContext } from '../operations/index.ts';
import { describeError } from '../platform/fault.ts';
import type { Updates } from '../updates/index.ts';
import type { ExecutorParts } from './execute.ts';
import { faultOf, isJournalFault } from './failures.ts';
import type { SameImage } from './image-actions.ts';
import type { LiveRun } from './live-run.ts';
import type { ObserveParts } from './observe.ts';
import { reached } from './run.ts';

export interface DriveParts extends ExecutorParts, ObserveParts {
  readonly updates: Updates;
}

const firstPauseMs = 500;
const longestWritePauseMs = 2000;

/** Repeats a write until the journal takes it: nothing may be done, and no end be told, that is not on the disk. */
export async function untilWritten(parts: DriveParts, context: OperationContext, write: () => void): Promise<void> {
  for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestWritePauseMs)) {
    if (context.stopping()) throw context.signal.reason;
    try {
      write();
      return;
    } catch (error) {
      if (!isJournalFault(error)) throw error;
      const text = `The journal cannot be written, so nothing more is done: ${describeError(error)}`;
      context.log('error', text);
      context.progress({ done: 0, total: null, text });
      await parts.clock.sleep(pause);
    }
  }
}

/** The new container holds. `leftover`: why something of the old one could not be cleared away. */
export async function commitDone(
  parts: DriveParts,
  live: LiveRun,
  context: OperationContext,
  leftover?: string,
): Promise<string> {
  const run = live.run();
  const { wish } = live.stored();
  const gap = run.gapMilliseconds === null ? '' : ` It was away for ${(run.gapMilliseconds / 1000).toFixed(1)} s.`;
  const text =
    run.kind === 'rollback'
      ? `${run.name} is back on ${wish.target.image}.${gap}`
      : `${run.name} now runs ${wish.target.image}.${gap}`;
  const newImage = live.journal().members[0]?.progress.newImage;
  const { undoes } = wish.target;
  if (undoes !== null) {
    const reason = `${run.actor} went back from it.`;
    parts.updates.quarantine({ host: wish.host, name: wish.name, ...undoes, reason });
  }
  const to = { ...run.to, imageId: newImage?.Id ?? run.to.imageId };
  const reason =
    leftover === undefined
      ? null
      : `The new ${run.name} holds, but what is left of the old one could not be removed: ${leftover} Remove it by hand.`;
  await untilWritten(parts, context, () => live.finish('committed', text, { reason, rollbackAvailable: true, to }));
  return text;
}

/** There was nothing to replace. */
export async function sameImage(
  parts: DriveParts,
  live: LiveRun,
  context: OperationContext,
  { image }: SameImage,
): Promise<string> {
  const { target } = live.stored().wish;
  const { name } = live.run();
  if (target.repository !== null && target.digest !== null)
    parts.updates.rememberEqual({ repository: target.repository, digest: target.digest, imageId: image.Id });
  const text = `The image that was pulled is the one that ${name} runs already: nothing had to be replaced.`;
  const to = { ...live.run().to, imageId: image.Id };
  await untilWritten(parts, context, () => live.finish('committed', text, { reason: text, to }));
  return text;
}

/** The old ones are back, as far as they can be. Throws the fault that says why the run went back. */
export async function backDone(
  parts: DriveParts,
  live: LiveRun,
  context: OperationContext,
  { lost, down }: { lost: readonly string[]; down: readonly string[] },
): Promise<string> {
  const { failure } = live.journal();
  if (failure === null) throw new Error('A run that goes back has a reason.');
  const { wish } = live.stored();
  const gone =
    lost.length === 0 ? '' : ` ${lost.join(', ')} was removed or replaced by somebody else and is left as it is.`;
  const ended = down.length === 0 ? '' : ` ${down.join(', ')} was started again, but ended by itself.`;
  const reason = `${failure.reason}${gone}${ended}`;
  const untouched = !reached(live.journal(), 'HOLDING');
  let state: Run['state'] = lost.length > 0 || untouched ? 'failed' : 'rolled-back';
  if (failure.cause === 'cancelled') state = 'cancelled';
  await untilWritten(parts, context, () => live.finish(state, reason, { reason }));
  if (failure.cause === 'image' && wish.kind === 'update' && wish.target.candidateId !== null) {
    const { candidateId, digest } = wish.target;
    parts.updates.quarantine({ host: wish.host, name: wish.name, candidateId, digest: digest ?? '', reason });
  }
  if (failure.cause === 'cancelled' && context.signal.aborted && !context.stopping()) throw context.signal.reason;
  throw faultOf({ ...failure, reason });
}
