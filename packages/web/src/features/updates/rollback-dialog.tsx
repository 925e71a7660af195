import type { Run } from '@evenkeel/contract';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useApi } from '../../lib/live.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ProblemNote } from '../../ui/problem.tsx';
import { PlanPanel } from './plan-panel.tsx';

/** The way back to the version that a run has replaced: its plan, then one confirmation. */
export function RollbackDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const { t } = useTranslation();
  const api = useApi();
  const navigate = useNavigate();
  const plan = useQuery({
    queryKey: ['rollback-plan', run.id],
    queryFn: ({ signal }) => api.call('planRollback', { params: { id: run.id }, signal }),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const start = useMutation({
    mutationFn: () => api.call('rollBack', { params: { id: run.id }, body: {} }),
    onSuccess: ({ operation }) => {
      onClose();
      void navigate({ to: '/runs/$id', params: { id: operation } });
    },
  });
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={t('plan.titleRollback', { name: run.name })}
      description={t('plan.description')}
      foot={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button
            look="primary"
            busy={start.isPending}
            disabled={!plan.data || plan.data.refusals.length > 0}
            onClick={() => start.mutate()}
          >
            {t('plan.confirmRollback')}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {start.error ? <ProblemNote error={start.error} /> : null}
        {plan.isPending ? <p className="py-8 text-center text-sm text-faint">{t('plan.loading')}</p> : null}
        {plan.error ? <ProblemNote error={plan.error} title={t('plan.failed')} /> : null}
        {plan.data ? <PlanPanel plan={plan.data} /> : null}
      </div>
    </Dialog>
  );
}
