import type { Container, Update } from '@evenkeel/contract';
import { isPending } from '../updates/pending.ts';

/** A container with what is known about its updates. */
export interface Entry {
  readonly container: Container;
  readonly update: Update | undefined;
}

export type Row =
  | { readonly kind: 'stack'; readonly key: string; readonly name: string | null; readonly entries: readonly Entry[] }
  | { readonly kind: 'container'; readonly key: string; readonly entry: Entry };

export const stateFilters = {
  running: ({ container }: Entry) => container.state === 'running',
  stopped: ({ container }: Entry) => container.state !== 'running' && container.state !== 'restarting',
  unhealthy: ({ container }: Entry) =>
    container.health === 'unhealthy' || container.state === 'dead' || container.state === 'restarting',
} as const;

export const updateFilters = {
  pending: ({ update }: Entry) => update !== undefined && isPending(update),
  unknown: ({ update }: Entry) => update?.state === 'unknown' || update?.state === 'gone',
  current: ({ update }: Entry) => update?.state === 'up-to-date' || update?.state === 'index-only-change',
} as const;

export interface View {
  readonly q: string;
  readonly states: ReadonlySet<string>;
  readonly updates: ReadonlySet<string>;
  readonly hosts: ReadonlySet<string>;
  /** Column, `-` before it for descending. */
  readonly sort: string;
  readonly grouped: boolean;
  /** Names of the stacks that are closed; the empty name stands for what is in none. */
  readonly closed: ReadonlySet<string>;
}

function fitsText({ container }: Entry, q: string): boolean {
  if (q === '') return true;
  const ports = container.ports.map(({ publicPort, privatePort }) => `${publicPort ?? ''} ${privatePort}`).join(' ');
  const labels = Object.entries(container.labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
  const haystack = `${container.name} ${container.image} ${container.stack ?? ''} ${container.id} ${ports} ${labels}`;
  return haystack.toLowerCase().includes(q.toLowerCase());
}

function fitsAny(
  filters: Record<string, (entry: Entry) => boolean>,
  wanted: ReadonlySet<string>,
  entry: Entry,
): boolean {
  if (wanted.size === 0) return true;
  return [...wanted].some((name) => filters[name]?.(entry) ?? false);
}

/** The entries that fit the search and every kind of filter; within one kind any of those switched on suffices. */
export function filterEntries(entries: readonly Entry[], view: View): Entry[] {
  return entries.filter(
    (entry) =>
      fitsText(entry, view.q) &&
      fitsAny(stateFilters, view.states, entry) &&
      fitsAny(updateFilters, view.updates, entry) &&
      (view.hosts.size === 0 || view.hosts.has(entry.container.host)),
  );
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
const stateOrder = ['dead', 'restarting', 'paused', 'running', 'created', 'exited', 'removing'];

const compare: Record<string, (a: Entry, b: Entry) => number> = {
  name: (a, b) => collator.compare(a.container.name, b.container.name),
  image: (a, b) => collator.compare(a.container.image, b.container.image),
  state: (a, b) => stateOrder.indexOf(a.container.state) - stateOrder.indexOf(b.container.state),
  update: (a, b) => Number(updateFilters.pending(b)) - Number(updateFilters.pending(a)),
  uptime: (a, b) => startOf(b) - startOf(a),
};

function startOf({ container }: Entry): number {
  return container.state === 'running' && container.startedAt ? Date.parse(container.startedAt) : 0;
}

/** Sorted entries: by the column, then by name, then by host, so that the order never wavers. */
export function sortEntries(entries: readonly Entry[], sort: string): Entry[] {
  const descending = sort.startsWith('-');
  const by = compare[descending ? sort.slice(1) : sort] ?? compare['name'];
  return [...entries].sort((a, b) => {
    const first = (by?.(a, b) ?? 0) * (descending ? -1 : 1);
    return (
      first ||
      collator.compare(a.container.name, b.container.name) ||
      collator.compare(a.container.host, b.container.host)
    );
  });
}

/** The rows of the table: groups by stack (those in none come last), closed ones only as their head. */
export function toRows(entries: readonly Entry[], view: Pick<View, 'sort' | 'grouped' | 'closed'>): Row[] {
  const sorted = sortEntries(entries, view.sort);
  if (!view.grouped) return sorted.map(rowOf);
  const groups = new Map<string, Entry[]>();
  for (const entry of sorted) {
    const name = entry.container.stack ?? '';
    const group = groups.get(name);
    if (group) group.push(entry);
    else groups.set(name, [entry]);
  }
  const names = [...groups.keys()].sort((a, b) => Number(a === '') - Number(b === '') || collator.compare(a, b));
  if (names.length === 1 && names[0] === '') return sorted.map(rowOf);
  const rows: Row[] = [];
  for (const name of names) {
    const group = groups.get(name) ?? [];
    rows.push({ kind: 'stack', key: `stack:${name}`, name: name === '' ? null : name, entries: group });
    if (!view.closed.has(name)) rows.push(...group.map(rowOf));
  }
  return rows;
}

function rowOf(entry: Entry): Row {
  return { kind: 'container', key: entry.container.key, entry };
}
