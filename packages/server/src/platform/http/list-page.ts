import { createHash } from 'node:crypto';
import type { Page } from '@evenkeel/contract';
import { badInput } from './request-input.ts';
import type { ListSource } from './router.ts';

interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly sort?: string | undefined;
  readonly q?: string | undefined;
}

interface Cursor {
  readonly sort: string;
  readonly value: string | number;
  readonly key: string;
}

/** Bodies that are kept ready for the present position of a collection. */
const mostKept = 8;

/** Answers a list: bodies are made once per position and query, and an ETag says whether the client has it already. */
export interface ListPages<Query> {
  answer(query: Query & PageQuery): { readonly etag: string; readonly body: Buffer };
}

/** `usual` is the field that is sorted by when none is asked for, `-` before it for descending. */
export function createListPages<T, Query>(source: ListSource<T, Query>, usual: string): ListPages<Query> {
  const kept = new Map<string, Buffer>();
  let keptPosition = '';

  return {
    answer(query) {
      const { position } = source.collection;
      if (position !== keptPosition) {
        kept.clear();
        keptPosition = position;
      }
      const asked = JSON.stringify(query);
      const etag = `"${position}-${createHash('sha256').update(asked).digest('base64url').slice(0, 16)}"`;
      const known = kept.get(asked);
      if (known !== undefined) return { etag, body: known };
      const body = Buffer.from(JSON.stringify(pageOf(source, { ...query, sort: query.sort ?? usual })));
      if (kept.size < mostKept) kept.set(asked, body);
      return { etag, body };
    },
  };
}

function pageOf<T, Query>(source: ListSource<T, Query>, query: Query & PageQuery & { sort: string }): Page<T> {
  const { name, descending, of } = sortOf(source, query.sort);
  const after = query.cursor === undefined ? undefined : readCursor(query.cursor, `${descending ? '-' : ''}${name}`);
  const wanted = query.q?.toLowerCase();
  const matching: { item: T; value: string | number; key: string }[] = [];
  for (const items of [source.collection.entries(), source.beyond?.() ?? []]) {
    for (const [key, item] of items) {
      if (!source.matches(item, query)) continue;
      if (wanted !== undefined && !source.texts(item).some((text) => text.toLowerCase().includes(wanted))) continue;
      matching.push({ item, value: of(item), key });
    }
  }
  const direction = descending ? -1 : 1;
  const order = (a: { value: string | number; key: string }, b: { value: string | number; key: string }) =>
    direction * (compare(a.value, b.value) || compare(a.key, b.key));
  matching.sort(order);
  const first = after === undefined ? 0 : matching.findIndex((one) => order(one, after) > 0);
  const rest = first < 0 ? [] : matching.slice(first);
  const page = rest.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    total: matching.length,
    nextCursor:
      last === undefined || rest.length <= page.length
        ? null
        : writeCursor({ sort: `${descending ? '-' : ''}${name}`, value: last.value, key: last.key }),
  };
}

function sortOf<T, Query>(source: ListSource<T, Query>, asked: string) {
  const names = Object.keys(source.sorts);
  const descending = asked.startsWith('-');
  const name = asked.replace(/^-/, '');
  const of = Object.hasOwn(source.sorts, name) ? source.sorts[name] : undefined;
  if (of === undefined) {
    throw badInput([
      {
        field: 'query.sort',
        rule: 'invalid_value',
        message: `must be one of ${names.join(', ')}, with - for descending`,
      },
    ]);
  }
  return { name, descending, of };
}

/** By code units: the same order on every machine. */
function compare(a: string | number, b: string | number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([cursor.sort, cursor.value, cursor.key])).toString('base64url');
}

function readCursor(text: string, sort: string): Cursor {
  const wrong = (message: string) => badInput([{ field: 'query.cursor', rule: 'invalid_cursor', message }]);
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw wrong('is not a cursor that this server gave');
  }
  const [ofSort, value, key] = Array.isArray(parts) ? parts : [];
  if ((typeof value !== 'string' && typeof value !== 'number') || typeof key !== 'string')
    throw wrong('is not a cursor that this server gave');
  if (ofSort !== sort) throw wrong('belongs to a list that was sorted otherwise; begin again without it');
  return { sort, value, key };
}
