import type { Plan } from '@evenkeel/contract';
import { ChevronRight } from 'lucide-react';
import { Collapsible } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import type { UpdateTarget } from '../../app/intents.ts';
import { Mark } from '../../ui/mark.tsx';
import { Facts } from '../../ui/panel.tsx';
import { sentenceOf } from '../../ui/problem.tsx';
import { Gap, PlanPanel } from './plan-panel.tsx';
import { VersionStep } from './version-step.tsx';

interface PlanRow {
  target: UpdateTarget;
  plan: Plan | undefined;
  error: Error | null;
}

/** Many plans: the consequences summed up, then one line each that opens to the whole plan. */
export function PlanList({ rows }: { rows: readonly PlanRow[] }) {
  const { t } = useTranslation();
  const plans = rows.flatMap(({ plan }) => (plan && plan.refusals.length === 0 ? [plan] : []));
  const losing = plans.filter(({ losses }) => losses.length > 0).length;
  const gap = Math.max(0, ...plans.map(({ expectedGapSeconds }) => expectedGapSeconds));
  return (
    <div className="flex flex-col gap-3">
      <Facts
        rows={[
          [t('plan.sumGap'), <Gap key="gap" seconds={gap} />],
          [t('plan.sumLosses'), losing === 0 ? t('common.none') : t('plan.sumLossesText', { count: losing })],
        ]}
      />
      <ul className="rounded-lg border border-line">
        {rows.map((row) => (
          <PlanLine key={`${row.target.host}/${row.target.container}`} {...row} />
        ))}
      </ul>
    </div>
  );
}

function PlanLine({ target, plan, error }: PlanRow) {
  const { t } = useTranslation();
  const refusal = error ? sentenceOf(error) : plan?.refusals[0]?.text;
  return (
    <li className="border-t border-line first:border-0">
      <Collapsible.Root>
        <Collapsible.Trigger
          aria-label={t('plan.show', { name: target.name })}
          className="group flex min-h-10 w-full items-center gap-2 px-3 py-1.5 text-left text-sm hover:bg-hover"
        >
          <ChevronRight size={14} aria-hidden className="shrink-0 text-muted group-data-[state=open]:rotate-90" />
          <span className="min-w-0 flex-1 truncate font-medium">{target.name}</span>
          {plan ? (
            <VersionStep
              from={{ tag: plan.from.tag, digest: plan.from.digest }}
              to={{ tag: plan.to.tag, digest: plan.to.digest ?? plan.to.imageId }}
            />
          ) : null}
          <PlanWord plan={plan} refusal={refusal} />
        </Collapsible.Trigger>
        <Collapsible.Content className="border-t border-line bg-page px-3 py-3">
          {plan ? <PlanPanel plan={plan} /> : <p className="text-sm text-muted">{refusal ?? t('plan.loading')}</p>}
        </Collapsible.Content>
      </Collapsible.Root>
    </li>
  );
}

function PlanWord({ plan, refusal }: { plan: Plan | undefined; refusal: string | undefined }) {
  const { t } = useTranslation();
  if (refusal)
    return (
      <Mark shape="cross" tone="bad" className="text-xs">
        {t('plan.refusals')}
      </Mark>
    );
  if (!plan)
    return (
      <Mark shape="turning" tone="quiet" className="text-xs">
        {t('common.loading')}
      </Mark>
    );
  return (
    <span className="shrink-0 text-xs text-faint">
      <Gap seconds={plan.expectedGapSeconds} />
    </span>
  );
}
