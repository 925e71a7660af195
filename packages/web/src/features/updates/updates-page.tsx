import type { Update } from '@evenkeel/contract';
import { getRouteApi } from '@tanstack/react-router';
import { CheckCheck, CircleFadingArrowUp, Inbox, SearchCheck, SearchX, X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ask } from '../../app/intents.ts';
import { members, toggled } from '../../app/search-params.ts';
import { formatAgo } from '../../lib/format.ts';
import { useCollection, useNow } from '../../lib/live.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { EmptyState, PageHead } from '../../ui/panel.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { Checkbox, FilterChip } from '../../ui/toggle.tsx';
import { VirtualRows } from '../../ui/virtual-rows.tsx';
import { isActive } from '../runs/run-mark.tsx';
import { bestCandidate, isPending } from './pending.ts';
import { UpdateItem } from './update-item.tsx';
import { useCheck } from './use-check.ts';

const route = getRouteApi('/updates');
const levels = ['major', 'minor', 'patch', 'revision', 'prerelease', 'digest'] as const;
const restStates = [
  'unknown',
  'gone',
  'pinned-tag-moved',
  'pinned',
  'local',
  'up-to-date',
  'index-only-change',
] as const;
const byName = new Intl.Collator('en', { numeric: true });

/** The inbox: one list of what is newer, across all hosts; and, one filter away, everything else with its reason. */
export function UpdatesPage() {
  const { t, i18n } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow(15_000);
  const updates = useCollection('updates');
  const hosts = useCollection('hosts').items;
  const runs = useCollection('runs').items;
  const check = useCheck();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());

  const rest = search.show === 'rest';
  const pending = useMemo(() => updates.items.filter(isPending), [updates]);
  const others = useMemo(() => updates.items.filter((update) => !isPending(update)), [updates]);
  const unknown = others.filter(({ state, watched }) => watched && (state === 'unknown' || state === 'gone')).length;
  const wantedLevels = members(search.level);
  const wantedStates = members(search.state);
  const wantedHosts = members(search.host);
  const q = (search.q ?? '').toLowerCase();

  const shown = (rest ? others : pending)
    .filter(
      (update) =>
        `${update.name} ${update.image}`.toLowerCase().includes(q) &&
        (wantedHosts.size === 0 || wantedHosts.has(update.host)) &&
        (rest
          ? wantedStates.size === 0 || wantedStates.has(update.state)
          : wantedLevels.size === 0 || wantedLevels.has(bestCandidate(update)?.level ?? '')),
    )
    .sort((a, b) => rank(a) - rank(b) || byName.compare(a.name, b.name));
  const chosen = pending.filter(({ key }) => selected.has(key));
  const lastCheck = updates.items.reduce<string | null>(
    (latest, { checkedAt }) => (checkedAt && (!latest || checkedAt > latest) ? checkedAt : latest),
    null,
  );
  const checking = updates.items.some((update) => update.checking);

  const change = (patch: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...patch }), replace: true });
  const flip = (set: ReadonlySet<string>, key: string, on = !set.has(key)) => {
    const next = new Set(set);
    if (on) next.add(key);
    else next.delete(key);
    return next;
  };
  const shownPending = shown.filter(isPending).map(({ key }) => key);
  const some = chosen.length > 0 ? ('mixed' as const) : false;
  const extent = shownPending.length > 0 && shownPending.every((key) => selected.has(key)) ? true : some;

  return (
    <>
      <PageHead
        title={t('updates.title')}
        note={lastCheck ? t('updates.lastCheck', { ago: formatAgo(lastCheck, now, i18n.language) }) : null}
        actions={
          <Button icon={SearchCheck} busy={check.isPending || checking} onClick={() => check.mutate(null)}>
            {checking ? t('updates.checking') : t('updates.checkAll')}
          </Button>
        }
      >
        <div className="mt-2.5 flex flex-wrap items-center gap-2">
          {/* biome-ignore lint/a11y/useSemanticElements: two buttons, not a form */}
          <div role="group" aria-label={t('updates.show')} className="flex rounded-md border border-line-strong p-0.5">
            {(['pending', 'rest'] as const).map((show) => (
              <button
                key={show}
                type="button"
                aria-pressed={(show === 'rest') === rest}
                onClick={() =>
                  change({ show: show === 'rest' ? 'rest' : undefined, level: undefined, state: undefined })
                }
                className={`h-6.5 rounded px-2.5 text-xs ${(show === 'rest') === rest ? 'bg-hover font-medium text-text' : 'text-muted'}`}
              >
                {t(`updates.${show}`)}{' '}
                <span className="text-faint tabular-nums">{show === 'rest' ? others.length : pending.length}</span>
              </button>
            ))}
          </div>
          <SearchField
            value={search.q ?? ''}
            onChange={(next) => change({ q: next || undefined })}
            label={t('updates.searchPlaceholder')}
            className="w-full md:w-56"
          />
          {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot scroll sideways in every browser */}
          <div
            role="group"
            aria-label={t('containers.filters')}
            className="flex min-w-0 gap-1.5 overflow-x-auto py-0.5"
          >
            {rest
              ? restStates.map((state) => {
                  const count = others.filter((update) => update.state === state).length;
                  return count === 0 && !wantedStates.has(state) ? null : (
                    <FilterChip
                      key={state}
                      label={t(`updateState.${state}`)}
                      count={count}
                      on={wantedStates.has(state)}
                      onToggle={() => change({ state: toggled(search.state, state) })}
                    />
                  );
                })
              : levels.map((level) => {
                  const count = pending.filter((update) => bestCandidate(update)?.level === level).length;
                  return count === 0 && !wantedLevels.has(level) ? null : (
                    <FilterChip
                      key={level}
                      label={t(`level.${level}`)}
                      count={count}
                      on={wantedLevels.has(level)}
                      onToggle={() => change({ level: toggled(search.level, level) })}
                    />
                  );
                })}
            {hosts.length > 1
              ? hosts.map((host) => (
                  <FilterChip
                    key={host.id}
                    label={host.name}
                    count={(rest ? others : pending).filter((update) => update.host === host.id).length}
                    on={wantedHosts.has(host.id)}
                    onToggle={() => change({ host: toggled(search.host, host.id) })}
                  />
                ))
              : null}
          </div>
        </div>
      </PageHead>
      {shown.length === 0 ? (
        <NothingShown
          loaded={updates.loaded}
          filtered={(rest ? others : pending).length > 0}
          rest={rest}
          lastCheck={lastCheck ? formatAgo(lastCheck, now, i18n.language) : null}
          onClear={() => void navigate({ search: rest ? { show: 'rest' } : {}, replace: true })}
          onCheck={() => check.mutate(null)}
        />
      ) : (
        <VirtualRows
          rows={shown}
          keyOf={({ key }) => key}
          estimate={() => 53}
          role="list"
          label={t('updates.title')}
          head={
            rest ? undefined : (
              <div
                className="flex h-9 items-center gap-3 border-b border-line px-4 text-xs text-faint md:px-6"
                role="presentation"
              >
                <Checkbox
                  label={t('common.selectAll')}
                  checked={extent}
                  onChange={(on) => setSelected(on ? new Set(shownPending) : new Set())}
                />
                {t('updates.pending', { count: shown.length })}
              </div>
            )
          }
          render={(update) => (
            <UpdateItem
              update={update}
              run={runs.find((run) => isActive(run) && run.host === update.host && run.name === update.name)}
              selected={selected.has(update.key)}
              onSelect={(on) => setSelected(flip(selected, update.key, on))}
              open={open.has(update.key)}
              onToggle={() => setOpen(flip(open, update.key))}
              showHost={hosts.length > 1}
              now={now}
            />
          )}
        />
      )}
      {!rest && unknown > 0 ? (
        <p className="shrink-0 border-t border-line px-4 py-2 text-xs text-muted md:px-6">
          {t('updates.unknownNote', { count: unknown })}{' '}
          <button
            type="button"
            onClick={() => change({ show: 'rest', level: undefined })}
            className="text-accent underline underline-offset-2"
          >
            {t('updates.unknownShow')}
          </button>
        </p>
      ) : null}
      {chosen.length > 0 ? (
        <section
          aria-label={t('common.selected', { count: chosen.length })}
          className="flex shrink-0 items-center gap-2 border-t border-line-strong bg-raised px-4 py-2 md:px-6"
        >
          <span className="mr-2 text-sm font-medium tabular-nums">
            {t('common.selected', { count: chosen.length })}
          </span>
          <Button
            look="primary"
            icon={CircleFadingArrowUp}
            onClick={() => {
              ask({
                kind: 'update',
                targets: chosen.map(({ host, container, name }) => ({ host, container, name })),
              });
              setSelected(new Set());
            }}
          >
            {t('updates.updateSelected', { count: chosen.length })}
          </Button>
          <Button
            icon={SearchCheck}
            onClick={() => check.mutate(chosen.map(({ host, container }) => ({ host, container })))}
          >
            {t('updates.checkSelected')}
          </Button>
          <IconButton label={t('common.clear')} icon={X} onClick={() => setSelected(new Set())} className="ml-auto" />
        </section>
      ) : null}
    </>
  );
}

/** What needs a person first: unknown and gone before what is merely waiting; big steps before small ones. */
function rank(update: Update): number {
  if (!isPending(update)) return restStates.indexOf(update.state as (typeof restStates)[number]);
  const level = bestCandidate(update)?.level;
  return level ? levels.indexOf(level) : levels.length;
}

function NothingShown({
  loaded,
  filtered,
  rest,
  lastCheck,
  onClear,
  onCheck,
}: {
  loaded: boolean;
  filtered: boolean;
  rest: boolean;
  lastCheck: string | null;
  onClear: () => void;
  onCheck: () => void;
}) {
  const { t } = useTranslation();
  if (!loaded) return <p className="p-6 text-center text-sm text-faint">{t('common.loading')}</p>;
  if (filtered)
    return (
      <EmptyState
        icon={SearchX}
        title={t('containers.noHitTitle')}
        action={<Button onClick={onClear}>{t('common.clearFilters')}</Button>}
      />
    );
  if (rest)
    return (
      <EmptyState icon={Inbox} title={t('updates.restNone')}>
        {t('updates.restNoneText')}
      </EmptyState>
    );
  if (!lastCheck)
    return (
      <EmptyState
        icon={Inbox}
        title={t('updates.neverTitle')}
        action={
          <Button look="primary" icon={SearchCheck} onClick={onCheck}>
            {t('updates.checkAll')}
          </Button>
        }
      >
        {t('updates.neverText')}
      </EmptyState>
    );
  return (
    <EmptyState icon={CheckCheck} title={t('updates.noneTitle')}>
      {t('updates.noneText', { ago: lastCheck })}
    </EmptyState>
  );
}
