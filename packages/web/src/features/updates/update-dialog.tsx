import type { StartRunsResult } from '@evenkeel/contract';
import { useMutation, useQueries } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { UpdateTarget } from '../../app/intents.ts';
import { useApi, useCollection } from '../../lib/live.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ProblemNote } from '../../ui/problem.tsx';
import { isActive } from '../runs/run-mark.tsx';
import { PlanList } from './plan-list.tsx';
import { PlanPanel } from './plan-panel.tsx';
import { RunsProgress } from './runs-progress.tsx';
import { planQuery } from './use-plan.ts';

/** Shows what will happen, asks once, then shows it happening: one container or many. */
export function UpdateDialog({ targets, onClose }: { targets: readonly UpdateTarget[]; onClose: () => void }) {
  const { t } = useTranslation();
  const api = useApi();
  const navigate = useNavigate();
  const plans = useQueries({ queries: targets.map((target) => planQuery(api, target)) });
  const ready = targets.filter((_target, index) => plans[index]?.data?.refusals.length === 0);
  const refused = plans.filter(({ data, error }) => error !== null || (data?.refusals.length ?? 0) > 0).length;
  const loading = plans.some(({ isPending }) => isPending);
  const single = targets.length === 1 ? targets[0] : undefined;

  const start = useMutation({
    mutationFn: () =>
      api.call('startRuns', {
        body: {
          containers: ready.map(({ host, container, candidate }) => ({
            host,
            container,
            ...(candidate ? { candidate } : {}),
          })),
        },
      }),
    onSuccess: (result) => {
      const run = single ? result.results[0]?.run : null;
      if (!run) return;
      onClose();
      void navigate({ to: '/runs/$id', params: { id: run } });
    },
  });

  const title = single ? t('plan.title', { name: single.name }) : t('plan.titleMany', { count: targets.length });
  if (start.data && !(single && start.data.results[0]?.run))
    return (
      <Progress
        title={t('plan.titleMany', { count: start.data.results.length })}
        targets={targets}
        result={start.data}
        onClose={onClose}
      />
    );

  const plan = single ? plans[0] : undefined;
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={title}
      description={t('plan.description')}
      foot={
        <>
          <p className="mr-auto max-w-96 text-xs text-faint">
            {!single && refused > 0 ? t('plan.refusedCount', { count: refused }) : t('plan.promise')}
          </p>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button
            look="primary"
            busy={start.isPending}
            disabled={loading || ready.length === 0}
            onClick={() => start.mutate()}
          >
            {single ? t('plan.confirmUpdate') : t('plan.confirmMany', { count: ready.length })}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {start.error ? <ProblemNote error={start.error} /> : null}
        {plan?.isPending ? <p className="py-8 text-center text-sm text-faint">{t('plan.loading')}</p> : null}
        {plan?.error ? <ProblemNote error={plan.error} title={t('plan.failed')} /> : null}
        {plan?.data ? <PlanPanel plan={plan.data} /> : null}
        {single ? null : (
          <PlanList
            rows={targets.map((target, index) => ({
              target,
              plan: plans[index]?.data,
              error: plans[index]?.error ?? null,
            }))}
          />
        )}
      </div>
    </Dialog>
  );
}

function Progress({
  title,
  targets,
  result,
  onClose,
}: {
  title: string;
  targets: readonly UpdateTarget[];
  result: StartRunsResult;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const runs = useCollection('runs').byKey;
  const working = result.results.some(({ run }) => {
    const live = run ? runs.get(run) : undefined;
    return live ? isActive(live) : false;
  });
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={title}
      description={working ? t('plan.progress') : t('plan.finished')}
      foot={<Button onClick={onClose}>{working ? t('plan.inBackground') : t('common.close')}</Button>}
    >
      <RunsProgress
        results={result.results}
        nameOf={(container) => targets.find((target) => target.container === container)?.name ?? container}
        onOpen={onClose}
      />
    </Dialog>
  );
}
