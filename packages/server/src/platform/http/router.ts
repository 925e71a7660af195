import type { RouteSpec } from '@evenkeel/contract';
import type { z } from 'zod';
import type { LiveCollection } from '../bus/live-collection.ts';
import type { Actor } from './actor.ts';

type Infer<S, Fallback> = S extends z.ZodType ? z.output<S> : Fallback;
type Answer<R extends RouteSpec> = R['response'] extends z.ZodType ? z.input<R['response']> : undefined;

/** What a handler is given: parsed and checked. `actor` is the signed-in one; on public routes it may be undefined. */
export interface RouteContext<R extends RouteSpec> {
  readonly params: Infer<R['params'], Record<string, never>>;
  readonly query: Infer<R['query'], Record<string, never>>;
  readonly body: Infer<R['body'], undefined>;
  readonly actor: R['access'] extends 'public' ? Actor | undefined : Actor;
  readonly request: RequestFacts;
}

/** What a few handlers need to know of the request itself. */
export interface RequestFacts {
  readonly id: string;
  /** Address of the peer, after trusted proxies. */
  readonly address: string;
  readonly encrypted: boolean;
  readonly userAgent: string;
  cookie(name: string): string | undefined;
  setCookie(name: string, value: string, options: { maxAgeSeconds: number; path: string }): void;
  clearCookie(name: string, options: { path: string }): void;
  /** Ends when the client goes away. */
  readonly signal: AbortSignal;
}

/**
 * Registers routes of the table. Input is parsed with the schemas (all problems at once, with field and rule), the access of
 * the route is enforced before the handler runs, and in tests each answer is checked against its schema.
 */
export interface Router {
  handle<const R extends RouteSpec>(
    route: R,
    handler: (context: RouteContext<R>) => Answer<R> | Promise<Answer<R>>,
  ): void;
  /**
   * A list served from memory: filter, sort, page, with an ETag made of the collection's position and the query; 304 where
   * nothing changed; the whole unfiltered list is serialised once per position.
   */
  list<const R extends RouteSpec, T>(
    route: R,
    list: ListSource<T, Infer<R['query'], Record<string, never>>, SortField<R>>,
  ): void;
}

/** The fields that the route says it can be sorted by. */
type SortField<R extends RouteSpec> = R['sorts'] extends readonly (infer Name)[]
  ? Name extends `-${infer Field}`
    ? Field
    : Name & string
  : never;

export interface ListSource<T, Query, Field extends string = string> {
  readonly collection: LiveCollection<T>;
  /** Items that are too old for the collection, with keys that it does not have. They change only when it does. */
  readonly beyond?: () => Iterable<readonly [string, T]>;
  /** True for items that the query wants; `q` and paging are done by the router. */
  readonly matches: (item: T, query: Query) => boolean;
  /** The texts that `q` searches. */
  readonly texts: (item: T) => readonly string[];
  /** What each sortable field of the route is compared by. */
  readonly sorts: Readonly<Record<Field, (item: T) => string | number>>;
}
