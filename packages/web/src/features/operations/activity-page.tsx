import type { Operation } from '@evenkeel/contract';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Activity, Ban, ChevronRight, SearchX } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { formatAgo, formatMilliseconds } from '../../lib/format.ts';
import { useApi, useCollection, useNow } from '../../lib/live.ts';
import { Button } from '../../ui/button.tsx';
import { Mark, type Shape, type Tone } from '../../ui/mark.tsx';
import { EmptyState, PageHead } from '../../ui/panel.tsx';
import { sentenceOf } from '../../ui/problem.tsx';
import { notify } from '../../ui/toasts.tsx';
import { FilterChip } from '../../ui/toggle.tsx';
import { VirtualRows } from '../../ui/virtual-rows.tsx';
import { RunMark } from '../runs/run-mark.tsx';
import { OperationLog } from './operation-log.tsx';

const route = getRouteApi('/activity');

const looks: Record<Operation['state'], { shape: Shape; tone: Tone }> = {
  queued: { shape: 'ring', tone: 'quiet' },
  running: { shape: 'turning', tone: 'accent' },
  succeeded: { shape: 'check', tone: 'ok' },
  failed: { shape: 'cross', tone: 'bad' },
  cancelled: { shape: 'dash', tone: 'quiet' },
};

function isActive({ state }: Operation) {
  return state === 'queued' || state === 'running';
}

const filters = {
  active: isActive,
  finished: (operation: Operation) => !isActive(operation),
  failed: ({ state }: Operation) => state === 'failed',
} as const;

/** Every long task, while it runs and afterwards: progress, log, cancel. */
export function ActivityPage() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow(1_000);
  const operations = useCollection('operations');
  const sorted = [...operations.items].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  const shown = search.state ? sorted.filter(filters[search.state]) : sorted;
  return (
    <>
      <PageHead
        title={t('activity.title')}
        note={t('activity.running', { count: operations.items.filter(isActive).length })}
      >
        {/* biome-ignore lint/a11y/useSemanticElements: buttons, not a form */}
        <div role="group" aria-label={t('containers.filters')} className="mt-2.5 flex gap-1.5">
          {(['active', 'finished', 'failed'] as const).map((name) => (
            <FilterChip
              key={name}
              label={t(`activity.${name}`)}
              count={operations.items.filter(filters[name]).length}
              on={search.state === name}
              onToggle={() => void navigate({ search: search.state === name ? {} : { state: name }, replace: true })}
            />
          ))}
        </div>
      </PageHead>
      {shown.length === 0 ? (
        <EmptyState
          icon={search.state ? SearchX : Activity}
          title={search.state ? t('containers.noHitTitle') : t('activity.noneTitle')}
        >
          {search.state ? null : t('activity.noneText')}
        </EmptyState>
      ) : (
        <VirtualRows
          rows={shown}
          keyOf={({ id }) => id}
          estimate={() => 57}
          role="list"
          label={t('activity.title')}
          render={(operation) => (
            <OperationRow
              operation={operation}
              open={search.open === operation.id}
              onToggle={() =>
                void navigate({
                  search: (old) => ({ ...old, open: old.open === operation.id ? undefined : operation.id }),
                  replace: true,
                })
              }
              now={now}
            />
          )}
        />
      )}
    </>
  );
}

function OperationRow({
  operation,
  open,
  onToggle,
  now,
}: {
  operation: Operation;
  open: boolean;
  onToggle: () => void;
  now: number;
}) {
  const { t, i18n } = useTranslation();
  const run = useCollection('runs').byKey.get(operation.run ?? '');
  const { done, total, text } = operation.progress;
  const active = isActive(operation);
  const end = operation.finishedAt ? Date.parse(operation.finishedAt) : now;
  return (
    <div className="border-b border-line">
      <div className="flex items-start gap-3 px-4 py-2.5 md:items-center md:px-6">
        <button
          type="button"
          aria-expanded={open}
          aria-label={t('activity.showLog', { title: operation.title })}
          onClick={onToggle}
          className="grid size-7 shrink-0 place-items-center rounded-md text-muted hover:bg-hover hover:text-text"
        >
          <ChevronRight size={15} aria-hidden className={`transition-transform ${open ? 'rotate-90' : ''}`} />
        </button>
        <div className="min-w-0 flex-1">
          <div className="flex min-w-0 flex-wrap items-baseline gap-x-2">
            <span className="truncate text-sm font-medium">{operation.title}</span>
            <span className="text-xs text-faint">
              {formatAgo(operation.createdAt, now, i18n.language)} · {t('activity.by', { actor: operation.actor })}
            </span>
          </div>
          <div className="truncate text-xs text-muted">
            {active ? text : (operation.error?.detail ?? operation.summary ?? text)}
          </div>
          {active ? (
            <progress
              aria-label={t('activity.progress', { title: operation.title })}
              {...(total === null || total === 0 ? {} : { value: done, max: total })}
              className="mt-1 block h-1 w-full max-w-md appearance-none overflow-hidden rounded-full bg-line-strong [&::-webkit-progress-bar]:bg-line-strong [&::-webkit-progress-value]:bg-accent [&::-moz-progress-bar]:bg-accent"
            />
          ) : null}
        </div>
        <div className="flex shrink-0 flex-col items-end gap-1 text-xs md:flex-row md:items-center md:gap-4">
          {operation.startedAt ? (
            <span className="text-faint tabular-nums">
              {formatMilliseconds(Math.max(0, end - Date.parse(operation.startedAt)), i18n.language)}
            </span>
          ) : null}
          {run ? (
            <RunMark run={run} />
          ) : (
            <Mark {...looks[operation.state]}>{t(`activity.states.${operation.state}`)}</Mark>
          )}
          {operation.run ? (
            <Link to="/runs/$id" params={{ id: operation.run }} className="text-accent underline underline-offset-2">
              {t('activity.openRun')}
            </Link>
          ) : null}
          {active && operation.cancellable ? <CancelButton operation={operation} /> : null}
        </div>
      </div>
      {open ? (
        <div className="border-t border-line bg-surface px-4 py-3 md:pr-6 md:pl-16">
          <OperationLog id={operation.id} active={active} />
        </div>
      ) : null}
    </div>
  );
}

function CancelButton({ operation }: { operation: Operation }) {
  const { t } = useTranslation();
  const api = useApi();
  const cancel = useMutation({
    mutationFn: () => api.call('cancelOperation', { params: { id: operation.id } }),
    onError: (error) => notify({ kind: 'failed', title: t('errors.title'), detail: sentenceOf(error) }),
  });
  return (
    <Button size="sm" icon={Ban} busy={cancel.isPending} onClick={() => cancel.mutate()}>
      {t('activity.cancel')}
    </Button>
  );
}
