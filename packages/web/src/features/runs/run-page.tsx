import type { Run } from '@evenkeel/contract';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Ban, CircleCheck, Compass, type LucideIcon, RotateCcw, ShieldCheck, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ask } from '../../app/intents.ts';
import { parseAnsi } from '../../lib/ansi.ts';
import { formatMilliseconds, formatMoment, splitImage } from '../../lib/format.ts';
import { useApi, useCollection, useNow } from '../../lib/live.ts';
import { AnsiText } from '../../ui/ansi-text.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState, Facts, PageHead, Section } from '../../ui/panel.tsx';
import { sentenceOf } from '../../ui/problem.tsx';
import { ScrollArea } from '../../ui/scroll-area.tsx';
import { notify } from '../../ui/toasts.tsx';
import { OperationLog } from '../operations/operation-log.tsx';
import { Findings } from '../updates/plan-panel.tsx';
import { VersionStep } from '../updates/version-step.tsx';
import { isActive, RunMark } from './run-mark.tsx';
import { RunSteps } from './run-steps.tsx';
import { useRun } from './use-run.ts';

const route = getRouteApi('/runs/$id');

/** One run: the outcome and its reason first, then the steps, live. */
export function RunPage() {
  const { t, i18n } = useTranslation();
  const { id } = route.useParams();
  const now = useNow(500);
  const { run, error } = useRun(id);
  if (error)
    return (
      <EmptyState icon={Compass} title={t('runs.goneTitle')}>
        {sentenceOf(error)}
      </EmptyState>
    );
  if (!run) return <p className="p-6 text-center text-sm text-faint">{t('common.loading')}</p>;
  const locale = i18n.language;
  const done = run.steps.filter(({ state }) => state === 'done').length;
  const end = run.finishedAt ? Date.parse(run.finishedAt) : now;
  return (
    <>
      <PageHead
        title={t(run.kind === 'rollback' ? 'runs.titleRollback' : 'runs.title', { name: run.name })}
        note={<RunMark run={run} />}
        actions={<RunActions run={run} />}
      />
      <ScrollArea>
        <div className="mx-auto flex max-w-5xl flex-col gap-4">
          <p className="sr-only" role="status">
            {t('runs.liveRegion', { name: run.name, state: t(`runs.state.${run.state}`) })}
          </p>
          <Outcome run={run} />
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_19rem]">
            <Section title={t('runs.steps')} note={t('runs.stepOf', { done, total: run.steps.length })}>
              <RunSteps steps={run.steps} now={now} />
            </Section>
            <div className="flex min-w-0 flex-col gap-4 max-lg:-order-1">
              <Section title={t('common.details')}>
                <Facts
                  rows={[
                    [
                      t('detail.image'),
                      <span key="image" className="font-mono text-xs break-all">
                        {splitImage(run.to.image).name}
                      </span>,
                    ],
                    [
                      t('updates.version'),
                      <VersionStep
                        key="step"
                        from={{
                          tag: run.from.tag ?? splitImage(run.from.image).tag,
                          digest: run.from.digest ?? run.from.imageId,
                        }}
                        to={{
                          tag: run.to.tag ?? splitImage(run.to.image).tag,
                          digest: run.to.digest ?? run.to.imageId,
                        }}
                      />,
                    ],
                    [t('common.host'), run.host],
                    [t('plan.strategy'), t(`plan.strategies.${run.strategy}`)],
                    [
                      t('runs.gap'),
                      run.gapMilliseconds === null ? null : formatMilliseconds(run.gapMilliseconds, locale),
                    ],
                    [
                      t('runs.took'),
                      run.startedAt ? formatMilliseconds(Math.max(0, end - Date.parse(run.startedAt)), locale) : null,
                    ],
                    [t('runs.started'), formatMoment(run.startedAt ?? run.createdAt, locale)],
                    [t('runs.by'), run.actor],
                  ]}
                />
                {run.recovered ? <p className="mt-2 text-xs text-muted">{t('runs.recovered')}</p> : null}
              </Section>
            </div>
          </div>
          <Findings tone="warn" title={t('plan.warnings')} findings={run.warnings} />
          <Section title={t('runs.log')}>
            <OperationLog id={run.id} active={isActive(run)} />
          </Section>
        </div>
      </ScrollArea>
    </>
  );
}

function RunActions({ run }: { run: Run }) {
  const { t } = useTranslation();
  const api = useApi();
  const operation = useCollection('operations').byKey.get(run.id);
  const cancel = useMutation({
    mutationFn: () => api.call('cancelOperation', { params: { id: run.id } }),
    onSuccess: () => notify({ kind: 'done', title: t('runs.cancelled') }),
    onError: (error) => notify({ kind: 'failed', title: t('errors.title'), detail: sentenceOf(error) }),
  });
  return (
    <>
      {isActive(run) && operation?.cancellable ? (
        <Button icon={Ban} busy={cancel.isPending} onClick={() => cancel.mutate()}>
          {t('runs.cancel')}
        </Button>
      ) : null}
      {run.state === 'committed' && run.rollbackAvailable ? (
        <Button icon={RotateCcw} onClick={() => ask({ kind: 'rollback', run })}>
          {t('runs.rollBack')}
        </Button>
      ) : null}
      <Link
        to="/containers/$host/$name"
        params={{ host: run.host, name: run.name }}
        className="text-sm text-accent underline underline-offset-2"
      >
        {t('runs.openContainer')}
      </Link>
    </>
  );
}

const outcomes: Partial<Record<Run['state'], { icon: LucideIcon; box: string; ink: string }>> = {
  committed: { icon: CircleCheck, box: 'border-ok/40 bg-ok-soft', ink: 'text-ok' },
  'rolled-back': { icon: ShieldCheck, box: 'border-warn/40 bg-warn-soft', ink: 'text-warn' },
  failed: { icon: TriangleAlert, box: 'border-bad/40 bg-bad-soft', ink: 'text-bad' },
  refused: { icon: Ban, box: 'border-bad/40 bg-bad-soft', ink: 'text-bad' },
  cancelled: { icon: Ban, box: 'border-line-strong bg-surface', ink: 'text-muted' },
};

/** How it ended, in a sentence, with the reason, what runs now, and the last words of what failed. */
function Outcome({ run }: { run: Run }) {
  const { t } = useTranslation();
  const container = useCollection('containers').items.find(({ host, name }) => host === run.host && name === run.name);
  const look = outcomes[run.state];
  if (!look) return null;
  const title: ReactNode = {
    committed: t(run.kind === 'rollback' ? 'runs.committedRollbackTitle' : 'runs.committedTitle', { name: run.name }),
    'rolled-back': t('runs.rolledBackTitle', { name: run.name }),
    failed: t('runs.failedTitle', { name: run.name }),
    refused: t('runs.refusedTitle', { name: run.name }),
    cancelled: t('runs.cancelledTitle', { name: run.name }),
    queued: null,
    running: null,
    'rolling-back': null,
  }[run.state];
  return (
    <section className={`flex flex-col gap-3 rounded-lg border px-4 py-3 ${look.box}`}>
      <div className="flex items-start gap-3">
        <look.icon size={20} aria-hidden className={`mt-0.5 shrink-0 ${look.ink}`} />
        <div className="min-w-0 flex-1">
          <h2 className="text-lg font-semibold break-words">{title}</h2>
          {run.state === 'rolled-back' ? <p className="text-sm text-muted">{t('runs.rolledBackText')}</p> : null}
          {container ? (
            <p className="text-sm text-muted">
              {t('runs.oldRunning', { name: run.name, state: t(`state.${container.state}`), image: container.image })}
            </p>
          ) : null}
        </div>
      </div>
      {run.reason ? (
        <div className="text-sm">
          <h3 className="text-xs font-semibold text-muted">{t('runs.reason')}</h3>
          <p className="break-words">{run.reason}</p>
        </div>
      ) : null}
      {run.failedLog ? (
        <div>
          <h3 className="mb-1 text-xs font-semibold text-muted">{t('runs.failedLog')}</h3>
          <LogLines text={run.failedLog} />
        </div>
      ) : null}
      {run.oldLog ? (
        <details>
          <summary className="cursor-pointer text-xs font-semibold text-muted">{t('runs.oldLog')}</summary>
          <LogLines text={run.oldLog} />
        </details>
      ) : null}
    </section>
  );
}

/** Kept lines of a log, with their colours. */
function LogLines({ text }: { text: string }) {
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="mt-1 max-h-72 overflow-auto rounded-md border border-line bg-page p-3 font-mono text-xs whitespace-pre-wrap break-words"
    >
      {text.split('\n').map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text that never changes
        <span key={index}>
          <AnsiText spans={parseAnsi(line)} />
          {'\n'}
        </span>
      ))}
    </pre>
  );
}
