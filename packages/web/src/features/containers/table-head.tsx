import { ArrowDown, ArrowUp, Rows3 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../../ui/button.tsx';
import { HeaderCell, HeaderRow } from '../../ui/table-parts.tsx';
import { Checkbox } from '../../ui/toggle.tsx';
import { columns } from './container-row.tsx';

const heads = [
  { name: 'name', sortable: true },
  { name: 'state', sortable: true },
  { name: 'image', sortable: true },
  { name: 'update', sortable: true },
  { name: 'ports', sortable: false },
  { name: 'uptime', sortable: true },
] as const;

function ariaSort(sort: string, name: string) {
  if (sort === name) return 'ascending' as const;
  return sort === `-${name}` ? ('descending' as const) : undefined;
}

/** The head of the table: sorting, grouping, select all. Stays while the rows scroll. */
export function TableHead({
  sort,
  onSort,
  grouped,
  onGrouped,
  selected,
  onSelectAll,
}: {
  sort: string;
  onSort: (sort: string) => void;
  grouped: boolean;
  onGrouped: (grouped: boolean) => void;
  selected: boolean | 'mixed';
  onSelectAll: (on: boolean) => void;
}) {
  const { t } = useTranslation();
  return (
    <HeaderRow className={`${columns} h-9 border-b border-line bg-page text-xs text-faint`}>
      <HeaderCell>
        <Checkbox label={t('common.selectAll')} checked={selected} onChange={onSelectAll} />
      </HeaderCell>
      {heads.map(({ name, sortable }) => (
        <HeaderCell
          key={name}
          sort={ariaSort(sort, name)}
          className={name === 'uptime' ? 'flex justify-end' : undefined}
        >
          {sortable ? (
            <button
              type="button"
              aria-label={t('containers.sortBy', { column: t(`containers.${name}`) })}
              onClick={() => onSort(sort === name ? `-${name}` : name)}
              className="inline-flex items-center gap-1 hover:text-text"
            >
              {t(`containers.${name}`)}
              {sort === name ? <ArrowUp size={11} aria-hidden /> : null}
              {sort === `-${name}` ? <ArrowDown size={11} aria-hidden /> : null}
            </button>
          ) : (
            t(`containers.${name}`)
          )}
        </HeaderCell>
      ))}
      <HeaderCell>
        <IconButton
          label={t('containers.group')}
          icon={Rows3}
          size="sm"
          aria-pressed={grouped}
          onClick={() => onGrouped(!grouped)}
          className={grouped ? 'text-accent' : ''}
        />
      </HeaderCell>
    </HeaderRow>
  );
}

/** Sorting where there is no head of columns: on a phone. */
export function SortSelect({ sort, onSort }: { sort: string; onSort: (sort: string) => void }) {
  const { t } = useTranslation();
  return (
    <select
      aria-label={t('containers.sort')}
      value={sort}
      onChange={(event) => onSort(event.target.value)}
      className="h-8 rounded-md border border-line-strong bg-page px-2 text-[16px]"
    >
      {heads
        .filter(({ sortable }) => sortable)
        .map(({ name }) => (
          <option key={name} value={name}>
            {t(`containers.${name}`)}
          </option>
        ))}
    </select>
  );
}
