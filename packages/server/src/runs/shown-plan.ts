import type { Plan, Run } from '@evenkeel/contract';
import type { ImageInspect } from '../platform/engine/engine-types.ts';
import type { Actor } from '../platform/http/actor.ts';
import { describeGate } from './gate-terms.ts';
import type { Situation } from './observe.ts';
import { expectedGap, planSteps } from './plan.ts';
import { type JournalMember, type Target, taggable, type Wish } from './run.ts';

/**
 * A plan as it is shown before it runs. Refused ones have no steps: nothing would be done. `lastGapMilliseconds`: how long the container
 * was away the last time, a better guess than any rule.
 */
export function shownPlan(wish: Wish, situation: Situation, lastGapMilliseconds: number | undefined): Plan {
  const [main] = situation.members;
  if (main === undefined) throw new Error('A plan without its container.');
  const input = { run: '<run>', strategy: situation.strategy, target: wish.target, members: situation.members };
  const steps = situation.refusals.length > 0 ? [] : planSteps(input);
  return {
    host: wish.host,
    container: situation.container.Id,
    name: wish.name,
    kind: wish.kind,
    strategy: situation.strategy,
    strategyReason: situation.strategyReason,
    from: imageFacts(main.inspect.Config.Image ?? '', main.oldImage),
    to: targetFacts(wish.target),
    steps: steps.map(({ action: _, ...step }, index) => ({ number: index + 1, ...step })),
    expectedGapSeconds:
      lastGapMilliseconds === undefined || situation.strategy === 'start-first'
        ? expectedGap(input)
        : Math.ceil(lastGapMilliseconds / 1000),
    gate: main.wasRunning
      ? `${wish.name} ${describeGate(main.gate, main.inspect.Config.Healthcheck)}`
      : `${wish.name} does not run and is not started, so nothing is waited for`,
    dependants: situation.dependants.map(({ name, relation, action }) => ({
      name,
      relation,
      action: actionTexts[action],
    })),
    losses: [...situation.losses],
    warnings: [...situation.warnings],
    refusals: [...situation.refusals],
  };
}

const actionTexts = {
  recreate: 'created again from its own image, after the new container',
  restart: 'restarted after the new container',
  'stop-start': 'stopped before, started again after the new container',
} as const;

export function imageFacts(image: string, inspect: ImageInspect): Plan['from'] {
  const digest = inspect.RepoDigests?.[0]?.split('@')[1] ?? null;
  return { image, imageId: inspect.Id, digest, tag: taggable(image.split('@')[0] ?? image)?.tag ?? null };
}

export function targetFacts(target: Target): Plan['to'] {
  const { image, tag, digest, imageIds } = target;
  return { image, imageId: imageIds[0] ?? null, digest, tag };
}

/** A run as it is shown until its turn comes. */
export function queuedRun(
  id: string,
  wish: Wish,
  main: JournalMember,
  situation: Situation,
  actor: Actor,
  createdAt: string,
): Run {
  return {
    id,
    host: wish.host,
    name: wish.name,
    kind: wish.kind,
    strategy: situation.strategy,
    state: 'queued',
    phase: 'PLANNED',
    actor: actor.name,
    from: imageFacts(main.inspect.Config.Image ?? '', main.oldImage),
    to: targetFacts(wish.target),
    oldContainer: main.inspect.Id,
    newContainer: null,
    steps: [],
    warnings: [],
    reason: null,
    failedLog: null,
    oldLog: null,
    gapMilliseconds: null,
    recovered: false,
    rollbackAvailable: false,
    createdAt,
    startedAt: null,
    finishedAt: null,
  };
}
