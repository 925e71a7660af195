import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { members, toggled } from '../../app/search-params.ts';
import { useCollection, useNarrow, useNow } from '../../lib/live.ts';
import { PageHead } from '../../ui/panel.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { FilterChip } from '../../ui/toggle.tsx';
import { VirtualRows } from '../../ui/virtual-rows.tsx';
import { BulkBar } from './bulk-bar.tsx';
import { ContainerCard, ContainerRow, StackRow } from './container-row.tsx';
import { filterEntries, type Row, stateFilters, toRows, updateFilters, type View } from './container-rows.ts';
import { NoContainers } from './no-containers.tsx';
import { SortSelect, TableHead } from './table-head.tsx';
import { useEntries } from './use-entries.ts';

const route = getRouteApi('/containers');
const noneClosed: ReadonlySet<string> = new Set();

const stateChips = [
  ['running', 'containers.filterRunning'],
  ['stopped', 'containers.filterStopped'],
  ['unhealthy', 'containers.filterUnhealthy'],
] as const;
const updateChips = [
  ['pending', 'containers.filterUpdate'],
  ['unknown', 'containers.filterUnknown'],
  ['current', 'containers.filterCurrent'],
] as const;

/** All containers of all hosts, live. */
export function ContainersPage() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const narrow = useNarrow();
  const now = useNow(10_000);
  const hosts = useCollection('hosts').items;
  const { entries, loaded } = useEntries();
  const [closed, setClosed] = useState(noneClosed);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());

  const view: View = useMemo(
    () => ({
      q: search.q ?? '',
      states: members(search.state),
      updates: members(search.update),
      hosts: members(search.host),
      sort: search.sort ?? 'name',
      grouped: search.flat !== '1',
      closed,
    }),
    [search, closed],
  );
  const shown = useMemo(() => filterEntries(entries, view), [entries, view]);
  const rows = useMemo(() => toRows(shown, view), [shown, view]);
  const chosen = useMemo(() => entries.filter(({ container }) => selected.has(container.key)), [entries, selected]);

  const change = (patch: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...patch }), replace: true });
  const select = useCallback((keys: readonly string[], on: boolean) => {
    setSelected((old) => {
      const next = new Set(old);
      for (const key of keys) {
        if (on) next.add(key);
        else next.delete(key);
      }
      return next;
    });
  }, []);
  const selectOne = useCallback((key: string, on: boolean) => select([key], on), [select]);
  const toggleStack = (name: string) =>
    setClosed((old) => {
      const next = new Set(old);
      if (!next.delete(name)) next.add(name);
      return next;
    });

  const filtered = view.q !== '' || view.states.size + view.updates.size + view.hosts.size > 0;
  const shownKeys = shown.map(({ container }) => container.key);

  function renderRow(row: Row) {
    if (row.kind === 'stack') {
      const keys = row.entries.map(({ container }) => container.key);
      return (
        <StackRow
          name={row.name}
          entries={row.entries}
          open={!closed.has(row.name ?? '')}
          onToggle={() => toggleStack(row.name ?? '')}
          selected={extent(keys, selected)}
          onSelect={(on) => select(keys, on)}
          asTable={!narrow}
        />
      );
    }
    const props = {
      entry: row.entry,
      selected: selected.has(row.key),
      onSelect: selectOne,
      now,
      indented: view.grouped && row.entry.container.stack !== null,
      showHost: hosts.length > 1,
    };
    return narrow ? <ContainerCard {...props} /> : <ContainerRow {...props} />;
  }

  return (
    <>
      <PageHead title={t('containers.title')} note={loaded ? t('containers.count', { count: entries.length }) : null}>
        <div className="mt-2.5 flex flex-wrap items-center gap-2">
          <SearchField
            value={view.q}
            onChange={(q) => change({ q: q || undefined })}
            label={t('containers.searchPlaceholder')}
            className="min-w-0 flex-1 md:w-72 md:flex-none"
          />
          {narrow ? <SortSelect sort={view.sort} onSort={(sort) => change({ sort })} /> : null}
          {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot scroll sideways in every browser */}
          <div
            role="group"
            aria-label={t('containers.filters')}
            className="flex min-w-0 items-center gap-1.5 overflow-x-auto py-0.5 max-md:w-full"
          >
            {stateChips.map(([name, label]) => (
              <FilterChip
                key={name}
                label={t(label)}
                count={entries.filter(stateFilters[name]).length}
                on={view.states.has(name)}
                onToggle={() => change({ state: toggled(search.state, name) })}
              />
            ))}
            {updateChips.map(([name, label]) => (
              <FilterChip
                key={name}
                label={t(label)}
                count={entries.filter(updateFilters[name]).length}
                on={view.updates.has(name)}
                onToggle={() => change({ update: toggled(search.update, name) })}
              />
            ))}
            {hosts.length > 1
              ? hosts.map((host) => (
                  <FilterChip
                    key={host.id}
                    label={host.name}
                    count={host.containers}
                    on={view.hosts.has(host.id)}
                    onToggle={() => change({ host: toggled(search.host, host.id) })}
                  />
                ))
              : null}
          </div>
        </div>
      </PageHead>
      {rows.length === 0 ? (
        <NoContainers
          loaded={loaded}
          filtered={filtered && entries.length > 0}
          onClear={() => void navigate({ search: {}, replace: true })}
        />
      ) : (
        <VirtualRows
          rows={rows}
          keyOf={(row) => row.key}
          estimate={(row) => estimate(row, narrow)}
          render={renderRow}
          label={t('containers.title')}
          role={narrow ? 'list' : 'table'}
          head={
            narrow ? undefined : (
              <TableHead
                sort={view.sort}
                onSort={(sort) => change({ sort })}
                grouped={view.grouped}
                onGrouped={(grouped) => change({ flat: grouped ? undefined : '1' })}
                selected={extent(shownKeys, selected)}
                onSelectAll={(on) => select(shownKeys, on)}
              />
            )
          }
        />
      )}
      {chosen.length > 0 ? <BulkBar chosen={chosen} onClear={() => setSelected(new Set())} /> : null}
    </>
  );
}

function estimate(row: Row, narrow: boolean): number {
  if (row.kind === 'stack') return 36;
  return narrow ? 86 : 40;
}

function extent(keys: readonly string[], selected: ReadonlySet<string>): boolean | 'mixed' {
  const count = keys.filter((key) => selected.has(key)).length;
  if (count === 0) return false;
  return count === keys.length ? true : 'mixed';
}
