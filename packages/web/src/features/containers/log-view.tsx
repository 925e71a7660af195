import { ArrowDownToLine, Download, ScrollText, WrapText } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/panel.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { countHits, filterLog } from './log-buffer.ts';
import { LogLines } from './log-lines.tsx';
import { useLog } from './use-log.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** The output of one container, live: opens on the tail, older on scrolling back, follows into the replacement. */
export function LogView({ host, name }: { host: string; name: string }) {
  const { t } = useTranslation();
  const log = useLog(host, name);
  const [q, setQ] = useState('');
  const [onlyHits, setOnlyHits] = useState(false);
  const [level, setLevel] = useState<string | null>(null);
  const [follow, setFollow] = useState(true);
  const [wrap, setWrap] = useState(true);
  const { entries } = log.view;
  const shown = filterLog(entries, { q, onlyHits, level });
  const hits = countHits(entries, q);

  function download() {
    const lines = entries.map((entry) =>
      entry.kind === 'line' ? `${entry.line.at} ${entry.text}` : `# ${entry.text}`,
    );
    const address = URL.createObjectURL(new Blob([`${lines.join('\n')}\n`], { type: 'text/plain' }));
    const anchor = document.createElement('a');
    anchor.href = address;
    anchor.download = `${name.replace(/[^a-zA-Z0-9_.-]/g, '_')}.log`;
    anchor.click();
    URL.revokeObjectURL(address);
  }

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2 md:px-6">
        <SearchField value={q} onChange={setQ} label={t('logs.search')} className="w-full sm:w-64" />
        {q ? (
          <>
            <span className="text-xs text-faint tabular-nums" role="status">
              {t('logs.hits', { count: hits })}
            </span>
            <Button
              size="sm"
              aria-pressed={onlyHits}
              look={onlyHits ? 'primary' : 'plain'}
              onClick={() => setOnlyHits(!onlyHits)}
            >
              {t('logs.onlyHits')}
            </Button>
          </>
        ) : null}
        <select
          aria-label={t('logs.levels')}
          value={level ?? ''}
          onChange={(event) => setLevel(event.target.value || null)}
          className="h-8 rounded-md border border-line-strong bg-page px-2 text-xs"
        >
          <option value="">{t('logs.allLevels')}</option>
          {levels.map((one) => (
            <option key={one} value={one}>
              ≥ {one}
            </option>
          ))}
        </select>
        <div className="ml-auto flex items-center gap-1">
          <IconButton
            label={t('logs.wrap')}
            icon={WrapText}
            aria-pressed={wrap}
            onClick={() => setWrap(!wrap)}
            className={wrap ? 'text-accent' : ''}
          />
          <IconButton label={t('logs.download')} icon={Download} onClick={download} />
          <Button
            icon={ArrowDownToLine}
            aria-pressed={follow}
            look={follow ? 'primary' : 'plain'}
            onClick={() => setFollow(!follow)}
          >
            {t('logs.follow')}
          </Button>
        </div>
      </div>
      {log.failure ? (
        <p role="alert" className="border-b border-line bg-bad-soft px-4 py-1.5 text-xs md:px-6">
          {t('logs.failed', { reason: log.failure })}
        </p>
      ) : null}
      {entries.length === 0 ? (
        <EmptyState icon={ScrollText} title={t('logs.empty')}>
          {t('logs.emptyText')}
        </EmptyState>
      ) : (
        <LogLines
          label={t('logs.label', { name })}
          entries={shown}
          arrived={log.view.arrived}
          q={q}
          wrap={wrap}
          follow={follow}
          onFollow={setFollow}
          onTop={log.loadOlder}
          top={log.top}
        />
      )}
      {entries.length > 0 && shown.length === 0 ? (
        <p className="p-4 text-center text-sm text-faint">{t('logs.noHit')}</p>
      ) : null}
    </div>
  );
}
