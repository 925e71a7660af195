import type { Container } from '@evenkeel/contract';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { CircleFadingArrowUp, Play, RotateCw, Square, Unplug } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { ask } from '../../app/intents.ts';
import { useApi, useCollection } from '../../lib/live.ts';
import { loadPart } from '../../lib/load-part.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState, PageHead } from '../../ui/panel.tsx';
import { ProblemNote } from '../../ui/problem.tsx';
import { isPending } from '../updates/pending.ts';
import { UpdateChip } from '../updates/update-chip.tsx';
import { Environment } from './environment.tsx';
import { History } from './history.tsx';
import { ImageText } from './image-text.tsx';
import { Overview } from './overview.tsx';
import { StateMark } from './state-mark.tsx';
import { canDo, runVerb } from './verbs.ts';

const LogView = lazy(async () => ({ default: (await loadPart(() => import('./log-view.tsx'))).LogView }));
const route = getRouteApi('/containers/$host/$name');
const views = ['overview', 'logs', 'environment', 'history'] as const;

/** One container, by its name: after an update the same page shows the one that took its place. */
export function ContainerPage() {
  const { t } = useTranslation();
  const api = useApi();
  const { host, name } = route.useParams();
  const { view = 'overview' } = route.useSearch();
  const navigate = route.useNavigate();
  const containers = useCollection('containers');
  const container = containers.items.find((one) => one.host === host && one.name === name);
  const detail = useQuery({
    // The parts that an event changes are in the key: the page asks again when the container moved on.
    queryKey: ['container', host, name, container?.id, container?.state, container?.health],
    queryFn: ({ signal }) => api.call('getContainer', { params: { host, container: name }, signal }),
    enabled: container !== undefined,
    placeholderData: (previous) => previous,
  });

  if (!containers.loaded) return <p className="p-6 text-center text-sm text-faint">{t('common.loading')}</p>;
  return (
    <Tabs.Root
      value={view}
      onValueChange={(next) =>
        void navigate({ search: { view: views.find((known) => known === next) }, replace: true })
      }
      className="flex min-h-0 flex-1 flex-col"
    >
      <PageHead title={name} note={host} actions={container ? <Actions container={container} /> : null}>
        {container ? (
          <div className="mt-1 flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
            <StateMark container={container} />
            <Update keyOf={container.key} />
            <ImageText image={container.image} />
          </div>
        ) : null}
        <Tabs.List aria-label={t('detail.tabs', { name })} className="-mb-3 mt-2 flex gap-4 overflow-x-auto">
          {views.map((one) => (
            <Tabs.Trigger
              key={one}
              value={one}
              className="shrink-0 border-b-2 border-transparent py-1.5 text-sm whitespace-nowrap text-muted hover:text-text data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-text"
            >
              {t(`detail.${one}`)}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
      </PageHead>
      {container === undefined && view !== 'history' ? (
        <EmptyState icon={Unplug} title={t('detail.goneTitle', { name })}>
          {t('detail.goneText', { host })}
        </EmptyState>
      ) : null}
      {detail.error && container && view !== 'logs' && view !== 'history' ? (
        <div className="p-4 md:px-6">
          <ProblemNote error={detail.error} />
        </div>
      ) : null}
      <Tabs.Content value="overview" className="min-h-0 flex-1 overflow-y-auto px-4 py-4 md:px-6">
        {container ? <Overview container={container} detail={detail.data} /> : null}
      </Tabs.Content>
      <Tabs.Content value="logs" className="flex min-h-0 flex-1 flex-col data-[state=inactive]:hidden">
        {container && view === 'logs' ? (
          <Suspense>
            <LogView key={`${host}/${name}`} host={host} name={name} />
          </Suspense>
        ) : null}
      </Tabs.Content>
      <Tabs.Content value="environment" className="min-h-0 flex-1 overflow-y-auto px-4 py-4 md:px-6">
        {detail.data ? <Environment detail={detail.data} /> : null}
      </Tabs.Content>
      <Tabs.Content value="history" className="min-h-0 flex-1 overflow-y-auto px-4 py-4 md:px-6">
        <History host={host} name={name} />
      </Tabs.Content>
    </Tabs.Root>
  );
}

function Update({ keyOf }: { keyOf: string }) {
  const update = useCollection('updates').byKey.get(keyOf);
  return <UpdateChip update={update} />;
}

function Actions({ container }: { container: Container }) {
  const { t } = useTranslation();
  const api = useApi();
  const update = useCollection('updates').byKey.get(container.key);
  const { host, id, name } = container;
  return (
    <>
      {canDo('start', container) ? (
        <Button icon={Play} onClick={() => void runVerb(api, 'start', [container])}>
          {t('containers.start')}
        </Button>
      ) : null}
      {canDo('restart', container) ? (
        <Button
          icon={RotateCw}
          onClick={() => ask({ kind: 'restart', containers: [container] })}
          className="max-sm:hidden"
        >
          {t('containers.restart')}
        </Button>
      ) : null}
      {canDo('stop', container) ? (
        <Button icon={Square} onClick={() => ask({ kind: 'stop', containers: [container] })}>
          {t('containers.stop')}
        </Button>
      ) : null}
      {update && isPending(update) && !container.stale ? (
        <Button
          look="primary"
          icon={CircleFadingArrowUp}
          onClick={() => ask({ kind: 'update', targets: [{ host, container: id, name }] })}
        >
          {t('containers.updateVerb')}
        </Button>
      ) : null}
    </>
  );
}
