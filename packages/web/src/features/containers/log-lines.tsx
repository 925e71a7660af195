import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useLayoutEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { markHits } from '../../lib/ansi.ts';
import { AnsiText } from '../../ui/ansi-text.tsx';
import { type LogEntry, spansOf } from './log-buffer.ts';

const inks: Record<string, string> = {
  fatal: 'bg-bad',
  error: 'bg-bad',
  warn: 'bg-warn',
  info: 'bg-accent',
  debug: 'bg-line-strong',
  trace: 'bg-line-strong',
};

/** The lines, of which only those near the view exist. Scrolling up ends the following, scrolling to the end resumes it. */
export function LogLines({
  label,
  entries,
  arrived,
  q,
  wrap,
  follow,
  onFollow,
  onTop,
  top,
}: {
  label: string;
  entries: readonly LogEntry[];
  arrived: number;
  q: string;
  wrap: boolean;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  onTop: () => void;
  top: 'more' | 'loading' | 'beginning';
}) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const lastTop = useRef(0);
  const firstNumber = useRef<number | undefined>(undefined);
  const virtualizer = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 20,
    getItemKey: (index) => entries[index]?.number ?? index,
    overscan: 20,
  });

  // Older lines came in above: keep what was in view where it was.
  useLayoutEffect(() => {
    const before = firstNumber.current;
    firstNumber.current = entries[0]?.number;
    if (follow || before === undefined || !scroller.current) return;
    const added = entries.findIndex(({ number }) => number === before);
    if (added > 0) virtualizer.scrollToIndex(added, { align: 'start' });
  }, [entries, follow, virtualizer]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `arrived` says that there is something newer to show
  useEffect(() => {
    if (follow && entries.length > 0) virtualizer.scrollToIndex(entries.length - 1, { align: 'end' });
  }, [follow, arrived, entries.length, virtualizer]);

  function onScroll() {
    const element = scroller.current;
    if (!element) return;
    const wentUp = element.scrollTop < lastTop.current - 2;
    lastTop.current = element.scrollTop;
    const toEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (follow && wentUp && toEnd > 40) onFollow(false);
    if (!follow && !wentUp && toEnd < 4) onFollow(true);
    if (element.scrollTop < 60 && wentUp && top === 'more') onTop();
  }

  return (
    <div
      ref={scroller}
      onScroll={onScroll}
      role="log"
      aria-label={label}
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="min-h-0 flex-1 overflow-auto bg-page py-1 font-mono text-xs leading-5"
    >
      {top === 'more' ? null : (
        <p className="px-4 py-1 text-faint md:px-6">
          {top === 'loading' ? t('logs.olderLoading') : t('logs.beginning')}
        </p>
      )}
      <div className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const entry = entries[item.index];
          return entry ? (
            <div
              key={item.key}
              ref={virtualizer.measureElement}
              data-index={item.index}
              className={`absolute top-0 left-0 ${wrap ? 'w-full' : 'min-w-full'}`}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <LineRow entry={entry} q={q} wrap={wrap} />
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

const LineRow = memo(function LineRow({ entry, q, wrap }: { entry: LogEntry; q: string; wrap: boolean }) {
  if (entry.kind === 'remark')
    return <div className="border-y border-line bg-surface px-4 font-sans text-faint md:px-6">{entry.text}</div>;
  const { line } = entry;
  return (
    <div className="flex gap-3 px-4 hover:bg-hover md:px-6">
      <span
        aria-hidden="true"
        className={`my-0.5 w-0.5 shrink-0 rounded-full ${line.level ? (inks[line.level] ?? '') : 'bg-transparent'}`}
      />
      <time dateTime={line.at} className="shrink-0 text-faint select-none max-md:hidden">
        {clockOf(line.at)}
      </time>
      {line.level === 'error' || line.level === 'fatal' || line.level === 'warn' ? (
        <span className="sr-only">{line.level}</span>
      ) : null}
      <span className={`min-w-0 ${wrap ? '[overflow-wrap:anywhere] whitespace-pre-wrap' : 'whitespace-pre'}`}>
        <AnsiText spans={markHits(spansOf(line), q)} />
      </span>
    </div>
  );
});

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

function clockOf(at: string): string {
  const moment = Date.parse(at);
  return Number.isNaN(moment) ? '' : clock.format(moment);
}
