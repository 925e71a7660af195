import { Link } from '@tanstack/react-router';
import { RefreshCw, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { formatDuration } from '../lib/format.ts';
import { useCollection, useNow, useStreamStatus } from '../lib/live.ts';

/** Quiet bars above the page while what it shows is not the present: the line is down, a host is, or the page is old. */
export function ConnectionBar() {
  const { t } = useTranslation();
  const status = useStreamStatus();
  const notices = useCollection('notices');
  const now = useNow(1_000);
  const ago = status.lostAt === null ? '' : formatDuration(now - status.lostAt);
  return (
    <div role="status">
      {status.state === 'reconnecting' ? <Bar>{t('connection.reconnecting', { ago })}</Bar> : null}
      {status.outdated ? (
        <Bar>
          {t('connection.outdated')}{' '}
          <button
            type="button"
            onClick={() => location.reload()}
            className="inline-flex items-center gap-1 font-medium text-accent underline underline-offset-2"
          >
            <RefreshCw size={12} aria-hidden />
            {t('connection.reload')}
          </button>
        </Bar>
      ) : null}
      {notices.items.map((notice) => (
        <Bar key={notice.code} warn={notice.severity !== 'info'}>
          {notice.text} {notice.remedy ? <span className="text-muted">{notice.remedy}</span> : null}
        </Bar>
      ))}
      <UnreachableHosts now={now} />
    </div>
  );
}

function UnreachableHosts({ now }: { now: number }) {
  const { t } = useTranslation();
  const hosts = useCollection('hosts').items.filter(
    ({ state, containers }) => state === 'unreachable' && containers > 0,
  );
  return hosts.map((host) => (
    <Bar key={host.id} warn>
      {host.lastSeenAt
        ? t('connection.hostUnreachable', { name: host.name, ago: formatDuration(now - Date.parse(host.lastSeenAt)) })
        : t('connection.hostUnreachableNever', { name: host.name })}{' '}
      <Link to="/hosts" className="text-accent underline underline-offset-2">
        {t('connection.showHosts')}
      </Link>
    </Bar>
  ));
}

function Bar({ warn, children }: { warn?: boolean; children: ReactNode }) {
  return (
    <div className="flex items-start gap-2 border-b border-line bg-raised px-4 py-1.5 text-xs md:px-6">
      <TriangleAlert size={13} aria-hidden className={`mt-0.5 shrink-0 ${warn ? 'text-warn' : 'text-muted'}`} />
      <span className="min-w-0 break-words">{children}</span>
    </div>
  );
}
