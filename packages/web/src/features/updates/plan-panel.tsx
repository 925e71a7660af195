import type { Finding, Plan } from '@evenkeel/contract';
import { Ban, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { shortenDigests, splitImage } from '../../lib/format.ts';
import { Facts, Mono } from '../../ui/panel.tsx';
import { VersionStep } from './version-step.tsx';

/** What an update or a roll-back would do: consequences first, then every step with its cause. */
export function PlanPanel({ plan }: { plan: Plan }) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-col gap-4">
      <Findings tone="bad" title={t('plan.refusals')} findings={plan.refusals} />
      <Facts
        rows={[
          [
            t('updates.version'),
            <VersionStep
              key="step"
              from={{
                tag: plan.from.tag ?? splitImage(plan.from.image).tag,
                digest: plan.from.digest ?? plan.from.imageId,
              }}
              to={{ tag: plan.to.tag ?? splitImage(plan.to.image).tag, digest: plan.to.digest ?? plan.to.imageId }}
            />,
          ],
          [t('plan.gap'), <Gap key="gap" seconds={plan.expectedGapSeconds} />],
          [t('plan.gate'), plan.gate],
          [
            t('plan.strategy'),
            <span key="strategy">
              {t(`plan.strategies.${plan.strategy}`)}
              {plan.strategyReason ? <span className="text-muted">: {plan.strategyReason}</span> : null}
            </span>,
          ],
        ]}
      />
      {plan.losses.length > 0 ? (
        <Findings tone="warn" title={t('plan.losses')} findings={plan.losses} />
      ) : (
        <p className="text-sm text-muted">{t('plan.noLosses')}</p>
      )}
      <Findings tone="warn" title={t('plan.warnings')} findings={plan.warnings} />
      {plan.dependants.length > 0 ? (
        <Block title={t('plan.dependants')}>
          <ul className="flex flex-col gap-1 text-sm">
            {plan.dependants.map((dependant) => (
              <li key={`${dependant.name} ${dependant.relation}`} className="flex flex-wrap gap-x-2">
                <span className="font-medium">{dependant.name}</span>
                <span className="text-faint">{dependant.relation}</span>
                <span className="text-muted">{dependant.action}</span>
              </li>
            ))}
          </ul>
        </Block>
      ) : null}
      {plan.steps.length > 0 ? (
        <Block title={t('plan.stepsCount', { count: plan.steps.length })}>
          <ol className="flex flex-col">
            {plan.steps.map((step) => (
              <li key={step.number} className="flex gap-3 border-t border-line py-1.5 text-sm first:border-0">
                <span className="w-5 shrink-0 text-right text-faint tabular-nums">{step.number}</span>
                <div className="min-w-0 flex-1">
                  <div className="break-words" title={step.text}>
                    {shortenDigests(step.text)}
                  </div>
                  <div className="text-xs break-words text-faint">{step.cause}</div>
                  {step.call ? (
                    <Mono className="text-2xs break-all text-faint">{shortenDigests(step.call)}</Mono>
                  ) : null}
                </div>
                <span className="shrink-0 text-xs text-faint">{t(`runs.phases.${step.phase}`)}</span>
              </li>
            ))}
          </ol>
        </Block>
      ) : null}
    </div>
  );
}

export function Gap({ seconds }: { seconds: number }) {
  const { t } = useTranslation();
  const rounded = seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds);
  return <>{rounded === 0 ? t('plan.gapNone') : t('plan.gapText', { seconds: rounded })}</>;
}

function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1 text-xs font-semibold text-muted">{title}</h3>
      {children}
    </section>
  );
}

/** Sentences with what to do about each. */
export function Findings({
  tone,
  title,
  findings,
}: {
  tone: 'warn' | 'bad';
  title: string;
  findings: readonly Finding[];
}) {
  if (findings.length === 0) return null;
  const Icon = tone === 'bad' ? Ban : TriangleAlert;
  const box = tone === 'bad' ? 'border-bad/40 bg-bad-soft' : 'border-warn/40 bg-warn-soft';
  return (
    <section className={`rounded-lg border px-3 py-2 ${box}`}>
      <h3 className={`flex items-center gap-1.5 text-xs font-semibold ${tone === 'bad' ? 'text-bad' : 'text-warn'}`}>
        <Icon size={13} aria-hidden />
        {title}
      </h3>
      <ul className="mt-1 flex flex-col gap-1 text-sm">
        {findings.map((finding) => (
          <li key={`${finding.code} ${finding.text}`} className="break-words">
            {finding.text} {finding.remedy ? <span className="text-muted">{finding.remedy}</span> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
