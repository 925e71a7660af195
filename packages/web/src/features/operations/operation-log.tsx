import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useApi } from '../../lib/live.ts';
import { ProblemNote } from '../../ui/problem.tsx';

const inks = { info: 'text-muted', warn: 'text-warn', error: 'text-bad' } as const;

/** The log of one operation; asked for again each second while it is at work. */
export function OperationLog({ id, active }: { id: string; active: boolean }) {
  const { t } = useTranslation();
  const api = useApi();
  const log = useQuery({
    queryKey: ['operation-log', id, active],
    queryFn: ({ signal }) => api.call('operationLog', { params: { id }, signal }),
    refetchInterval: active ? 1_000 : false,
    placeholderData: (previous) => previous,
  });
  if (log.error) return <ProblemNote error={log.error} />;
  const lines = log.data?.lines ?? [];
  if (lines.length === 0) return <p className="text-sm text-faint">{t('activity.noLog')}</p>;
  return (
    <ol className="flex flex-col gap-0.5 font-mono text-xs">
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a log only grows at its end
        <li key={index} className="flex gap-3">
          <time dateTime={line.at} className="shrink-0 text-faint tabular-nums">
            {line.at.slice(11, 23)}
          </time>
          <span className={`min-w-0 break-words ${inks[line.level]}`}>{line.text}</span>
        </li>
      ))}
    </ol>
  );
}
