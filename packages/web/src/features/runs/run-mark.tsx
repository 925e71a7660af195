import type { Run, RunStep } from '@evenkeel/contract';
import { useTranslation } from 'react-i18next';
import { Mark, type Shape, type Tone } from '../../ui/mark.tsx';

const looks: Record<Run['state'], { shape: Shape; tone: Tone }> = {
  queued: { shape: 'ring', tone: 'quiet' },
  running: { shape: 'turning', tone: 'accent' },
  'rolling-back': { shape: 'turning', tone: 'warn' },
  committed: { shape: 'check', tone: 'ok' },
  'rolled-back': { shape: 'triangle', tone: 'warn' },
  failed: { shape: 'cross', tone: 'bad' },
  cancelled: { shape: 'dash', tone: 'quiet' },
  refused: { shape: 'cross', tone: 'bad' },
};

export function isActive({ state }: Run): boolean {
  return state === 'queued' || state === 'running' || state === 'rolling-back';
}

/** The step at work, or the last that was. */
export function currentStep(run: Run): RunStep | undefined {
  return run.steps.find(({ state }) => state === 'running') ?? run.steps.findLast(({ state }) => state !== 'waiting');
}

export function RunMark({ run }: { run: Run }) {
  const { t } = useTranslation();
  const committedBack = run.state === 'committed' && run.kind === 'rollback';
  return (
    <Mark {...looks[run.state]}>{committedBack ? t('runs.committedRollback') : t(`runs.state.${run.state}`)}</Mark>
  );
}
