import { Link } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { formatDuration } from '../../lib/format.ts';
import { Cell } from '../../ui/table-parts.tsx';
import { Checkbox } from '../../ui/toggle.tsx';
import { UpdateChip } from '../updates/update-chip.tsx';
import { ContainerMenu } from './container-menu.tsx';
import type { Entry } from './container-rows.ts';
import { ImageText } from './image-text.tsx';
import { Ports } from './ports.tsx';
import { StateMark } from './state-mark.tsx';

/** The columns, shared by the head and every row. */
export const columns =
  'grid grid-cols-[1.25rem_minmax(9rem,1.5fr)_minmax(7rem,0.8fr)_minmax(10rem,1.9fr)_minmax(8rem,1.1fr)_minmax(5rem,0.7fr)_4.5rem_2rem] items-center gap-x-3 px-4 md:px-6';

interface RowProps {
  entry: Entry;
  selected: boolean;
  onSelect: (key: string, selected: boolean) => void;
  now: number;
  indented: boolean;
  showHost: boolean;
}

function uptimeOf({ container }: Entry, now: number): string {
  if (container.state !== 'running' || !container.startedAt) return '–';
  return formatDuration(now - Date.parse(container.startedAt));
}

/** One container as a row of the table. */
export const ContainerRow = memo(function ContainerRow({
  entry,
  selected,
  onSelect,
  now,
  indented,
  showHost,
}: RowProps) {
  const { t } = useTranslation();
  const { container, update } = entry;
  return (
    <div className={`${columns} h-10 border-b border-line text-sm ${selected ? 'bg-accent-soft' : 'hover:bg-hover'}`}>
      <Cell>
        <Checkbox
          label={t('common.select', { name: container.name })}
          checked={selected}
          onChange={(next) => onSelect(container.key, next)}
        />
      </Cell>
      <Cell className={`flex min-w-0 items-baseline gap-2 ${indented ? 'pl-4' : ''}`}>
        <Link
          to="/containers/$host/$name"
          params={{ host: container.host, name: container.name }}
          className="truncate font-medium hover:underline"
        >
          {container.name}
        </Link>
        {showHost ? <span className="shrink-0 text-xs text-faint">{container.host}</span> : null}
        {container.self ? <span className="shrink-0 text-xs text-faint">{t('containers.self')}</span> : null}
      </Cell>
      <Cell className="min-w-0">
        <StateMark container={container} />
      </Cell>
      <Cell className="min-w-0">
        <ImageText image={container.image} />
      </Cell>
      <Cell className="min-w-0">
        <UpdateChip update={update} />
      </Cell>
      <Cell className="flex min-w-0">
        <Ports ports={container.ports} />
      </Cell>
      <Cell className="text-right text-muted tabular-nums">{uptimeOf(entry, now)}</Cell>
      <Cell>
        <ContainerMenu entry={entry} />
      </Cell>
    </div>
  );
});

/** One container as a card, on a phone. */
export const ContainerCard = memo(function ContainerCard({ entry, selected, onSelect, now, showHost }: RowProps) {
  const { t } = useTranslation();
  const { container, update } = entry;
  return (
    <div className={`flex items-start gap-3 border-b border-line px-4 py-2.5 ${selected ? 'bg-accent-soft' : ''}`}>
      <div className="pt-0.5">
        <Checkbox
          label={t('common.select', { name: container.name })}
          checked={selected}
          onChange={(next) => onSelect(container.key, next)}
        />
      </div>
      <div className="min-w-0 flex-1">
        <div className="flex items-baseline gap-2">
          <Link
            to="/containers/$host/$name"
            params={{ host: container.host, name: container.name }}
            className="min-w-0 truncate font-medium"
          >
            {container.name}
          </Link>
          {showHost ? <span className="shrink-0 text-xs text-faint">{container.host}</span> : null}
        </div>
        <ImageText image={container.image} />
        <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs">
          <StateMark container={container} />
          {container.state === 'running' ? (
            <span className="text-faint tabular-nums">{uptimeOf(entry, now)}</span>
          ) : null}
          <UpdateChip update={update} />
        </div>
      </div>
      <ContainerMenu entry={entry} />
    </div>
  );
});

/** The head of a stack, which opens and closes it. */
export function StackRow({
  name,
  entries,
  open,
  onToggle,
  selected,
  onSelect,
  asTable,
}: {
  name: string | null;
  entries: readonly Entry[];
  open: boolean;
  onToggle: () => void;
  selected: boolean | 'mixed';
  onSelect: (selected: boolean) => void;
  asTable: boolean;
}) {
  const { t } = useTranslation();
  const shown = name ?? t('containers.standalone');
  const running = entries.filter(({ container }) => container.state === 'running').length;
  return (
    <div
      role={asTable ? 'cell' : undefined}
      className="flex h-9 items-center gap-3 border-b border-line bg-surface px-4 md:px-6"
    >
      <Checkbox label={t('common.select', { name: shown })} checked={selected} onChange={onSelect} />
      <button
        type="button"
        aria-expanded={open}
        onClick={onToggle}
        className="flex h-full min-w-0 flex-1 items-center gap-1.5 text-left text-sm"
      >
        <ChevronRight
          size={14}
          aria-hidden
          className={`shrink-0 text-muted transition-transform ${open ? 'rotate-90' : ''}`}
        />
        <span className={`truncate ${name ? 'font-semibold' : 'text-muted'}`}>{shown}</span>
        <span className="ml-1 truncate text-xs text-faint tabular-nums">
          {t('containers.ofRunning', { running, total: entries.length })}
        </span>
      </button>
    </div>
  );
}
