import type { Host } from '@evenkeel/contract';
import { Link } from '@tanstack/react-router';
import { Server } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { formatAgo, formatMilliseconds } from '../../lib/format.ts';
import { useCollection, useNow } from '../../lib/live.ts';
import { Mark, type Shape, type Tone } from '../../ui/mark.tsx';
import { Callout, EmptyState, Facts, Mono, PageHead } from '../../ui/panel.tsx';
import { ScrollArea } from '../../ui/scroll-area.tsx';

const looks: Record<Host['state'], { shape: Shape; tone: Tone }> = {
  connecting: { shape: 'turning', tone: 'accent' },
  online: { shape: 'disc', tone: 'ok' },
  unreachable: { shape: 'cross', tone: 'bad' },
};

/** The Docker Engines: which answer, how fresh their picture is, and why one does not. */
export function HostsPage() {
  const { t } = useTranslation();
  const hosts = useCollection('hosts');
  const now = useNow(1_000);
  return (
    <>
      <PageHead title={t('hosts.title')} />
      {hosts.loaded && hosts.items.length === 0 ? (
        <EmptyState icon={Server} title={t('hosts.noneTitle')}>
          {t('hosts.noneText')}
        </EmptyState>
      ) : (
        <ScrollArea>
          <div className="grid max-w-6xl items-start gap-4 lg:grid-cols-2">
            {hosts.items.map((host) => (
              <HostCard key={host.id} host={host} now={now} />
            ))}
          </div>
        </ScrollArea>
      )}
    </>
  );
}

function HostCard({ host, now }: { host: Host; now: number }) {
  const { t, i18n } = useTranslation();
  const locale = i18n.language;
  const seen = host.lastSeenAt ? formatAgo(host.lastSeenAt, now, locale) : t('common.never');
  return (
    <article className="flex min-w-0 flex-col gap-3 rounded-lg border border-line bg-surface px-4 py-3">
      <header className="flex items-center gap-3">
        <h2 className="min-w-0 flex-1 truncate text-lg font-semibold">{host.name}</h2>
        <span className="text-sm">
          <Mark {...looks[host.state]}>{t(`hosts.states.${host.state}`)}</Mark>
        </span>
      </header>
      {host.reason ? (
        <Callout tone={host.state === 'unreachable' ? 'bad' : 'info'} title={host.reason}>
          {host.state === 'unreachable' && host.lastSeenAt ? t('hosts.stale', { ago: seen }) : null}
        </Callout>
      ) : null}
      <Facts
        rows={[
          [
            t('hosts.endpoint'),
            <Mono key="endpoint" className="break-all">
              {host.endpoint}
            </Mono>,
          ],
          [
            t('hosts.engine'),
            host.engineVersion
              ? `${host.engineVersion}${host.apiVersion ? ` · ${t('hosts.api', { version: host.apiVersion })}` : ''}`
              : null,
          ],
          [t('hosts.system'), [host.operatingSystem, host.architecture].filter(Boolean).join(' · ')],
          [t('hosts.containers'), t('hosts.containersText', { running: host.running, total: host.containers })],
          [t('hosts.lastSeen'), seen],
          [t('hosts.listed'), host.listedAt ? formatAgo(host.listedAt, now, locale) : t('common.never')],
          [
            t('hosts.lag'),
            host.eventLagMilliseconds === null ? null : formatMilliseconds(host.eventLagMilliseconds, locale),
          ],
        ]}
      />
      <Link to="/containers" search={{ host: host.id }} className="text-sm text-accent underline underline-offset-2">
        {t('hosts.showContainers')}
      </Link>
    </article>
  );
}
