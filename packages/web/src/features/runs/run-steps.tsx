import type { RunStep } from '@evenkeel/contract';
import { useTranslation } from 'react-i18next';
import { formatMilliseconds, shortenDigests } from '../../lib/format.ts';
import { Mark, type Shape, type Tone } from '../../ui/mark.tsx';
import { Mono } from '../../ui/panel.tsx';

const looks: Record<RunStep['state'], { shape: Shape; tone: Tone }> = {
  waiting: { shape: 'ring', tone: 'quiet' },
  running: { shape: 'turning', tone: 'accent' },
  done: { shape: 'check', tone: 'ok' },
  failed: { shape: 'cross', tone: 'bad' },
  skipped: { shape: 'dash', tone: 'quiet' },
};

/** The steps of a run as they happen: what, why, how long, and where it went wrong. */
export function RunSteps({ steps, now }: { steps: readonly RunStep[]; now: number }) {
  const { t, i18n } = useTranslation();
  return (
    <ol className="flex flex-col">
      {steps.map((step) => (
        <li
          key={step.number}
          aria-current={step.state === 'running' ? 'step' : undefined}
          className="grid grid-cols-[1.5rem_minmax(0,1fr)_auto] gap-x-3 border-t border-line py-2 text-sm first:border-0"
        >
          <span className="text-right text-faint tabular-nums">{step.number}</span>
          <div className={`min-w-0 ${step.state === 'waiting' || step.state === 'skipped' ? 'text-faint' : ''}`}>
            <div className="break-words" title={step.text}>
              {shortenDigests(step.text)}
            </div>
            <div className="text-xs break-words text-faint">
              {t(`runs.phases.${step.phase}`)} · {step.cause}
            </div>
            {step.call ? <Mono className="text-2xs break-all text-faint">{shortenDigests(step.call)}</Mono> : null}
            {step.error ? <div className="mt-1 text-sm break-words text-bad">{step.error}</div> : null}
          </div>
          <div className="flex flex-col items-end text-xs">
            <Mark {...looks[step.state]}>{t(`runs.stepState.${step.state}`)}</Mark>
            {step.startedAt ? (
              <span className="text-faint tabular-nums">
                {formatMilliseconds(
                  Math.max(0, (step.finishedAt ? Date.parse(step.finishedAt) : now) - Date.parse(step.startedAt)),
                  i18n.language,
                )}
              </span>
            ) : null}
          </div>
        </li>
      ))}
    </ol>
  );
}
