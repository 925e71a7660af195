import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { History as HistoryIcon, RotateCcw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ask } from '../../app/intents.ts';
import { formatAgo, splitImage } from '../../lib/format.ts';
import { useApi, useCollection, useNow } from '../../lib/live.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/panel.tsx';
import { ProblemNote } from '../../ui/problem.tsx';
import { RunMark } from '../runs/run-mark.tsx';
import { VersionStep } from '../updates/version-step.tsx';

/** The runs of one container name, newest first, each with a way back where its old image is still there. */
export function History({ host, name }: { host: string; name: string }) {
  const { t, i18n } = useTranslation();
  const api = useApi();
  const now = useNow(10_000);
  const live = useCollection('runs').items.filter((run) => run.host === host && run.name === name);
  const asked = useQuery({
    // Asked again whenever one of its runs changes its state.
    queryKey: ['runs', host, name, live.map(({ id, state }) => `${id} ${state}`).join(',')],
    queryFn: ({ signal }) => api.call('listRuns', { query: { host, name, limit: 200 }, signal }),
    placeholderData: (previous) => previous,
  });
  if (asked.error) return <ProblemNote error={asked.error} />;
  const known = new Map((asked.data?.items ?? []).map((run) => [run.id, run]));
  for (const run of live) known.set(run.id, run);
  const runs = [...known.values()].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  if (runs.length === 0)
    return asked.isPending ? (
      <p className="text-center text-sm text-faint">{t('common.loading')}</p>
    ) : (
      <EmptyState icon={HistoryIcon} title={t('detail.noHistoryTitle')}>
        {t('detail.noHistoryText')}
      </EmptyState>
    );
  return (
    <ul className="max-w-4xl rounded-lg border border-line bg-surface">
      {runs.map((run) => (
        <li
          key={run.id}
          className="flex flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-2.5 text-sm first:border-0"
        >
          <div className="w-36">
            <RunMark run={run} />
          </div>
          <div className="min-w-0 flex-1">
            <VersionStep
              from={{
                tag: run.from.tag ?? splitImage(run.from.image).tag,
                digest: run.from.digest ?? run.from.imageId,
              }}
              to={{ tag: run.to.tag ?? splitImage(run.to.image).tag, digest: run.to.digest ?? run.to.imageId }}
            />
            {run.reason ? <div className="truncate text-xs text-muted">{run.reason}</div> : null}
          </div>
          <span className="text-xs text-faint">
            {formatAgo(run.createdAt, now, i18n.language)} · {t('activity.by', { actor: run.actor })}
          </span>
          <Link to="/runs/$id" params={{ id: run.id }} className="text-accent underline underline-offset-2">
            {t('activity.openRun')}
          </Link>
          {run.state === 'committed' ? (
            <Button
              size="sm"
              icon={RotateCcw}
              disabled={!run.rollbackAvailable}
              title={run.rollbackAvailable ? undefined : t('detail.imageGone')}
              onClick={() => ask({ kind: 'rollback', run })}
            >
              {t('detail.rollBack')}
            </Button>
          ) : null}
        </li>
      ))}
    </ul>
  );
}
