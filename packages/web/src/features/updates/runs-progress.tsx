import type { StartRunsResult } from '@evenkeel/contract';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useCollection } from '../../lib/live.ts';
import { Mark } from '../../ui/mark.tsx';
import { currentStep, RunMark } from '../runs/run-mark.tsx';

/** Several runs that were started together, live: a word, the step at work, and the way to each. */
export function RunsProgress({
  results,
  nameOf,
  onOpen,
}: {
  results: StartRunsResult['results'];
  nameOf: (container: string) => string;
  onOpen: () => void;
}) {
  const { t } = useTranslation();
  const runs = useCollection('runs');
  return (
    <ul className="rounded-lg border border-line" aria-live="polite">
      {results.map((result) => {
        const run = result.run ? runs.byKey.get(result.run) : undefined;
        const name = nameOf(result.container);
        return (
          <li
            key={`${result.host}/${result.container}`}
            className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-0.5 border-t border-line px-3 py-2 text-sm first:border-0"
          >
            <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
            {run ? <RunMark run={run} /> : null}
            {result.refusal ? (
              <Mark shape="cross" tone="bad">
                {t('runs.state.refused')}
              </Mark>
            ) : null}
            {result.run ? (
              <Link
                to="/runs/$id"
                params={{ id: result.run }}
                onClick={onOpen}
                className="text-accent underline underline-offset-2"
              >
                {t('updates.watchRun')}
              </Link>
            ) : null}
            <span className="w-full truncate text-xs text-muted">
              {result.refusal ? `${result.refusal.text} ${result.refusal.remedy ?? ''}` : null}
              {run ? (run.reason ?? currentStep(run)?.text) : null}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
