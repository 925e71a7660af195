import type { FieldProblem, Problem, RouteId, routes, Session } from '@evenkeel/contract';

type Routes = typeof routes;
type OutputOf<S> = S extends { _zod: { output: infer O } } ? O : never;
type InputOf<S> = S extends { _zod: { input: infer I } } ? I : never;

/** What one route wants: its path parameters, query and body, as the contract declares them. */
export type CallInput<Id extends RouteId> = (Routes[Id] extends { params: infer P }
  ? { params: OutputOf<P> }
  : unknown) &
  (Routes[Id] extends { query: infer Q }
    ? { query?: { [K in keyof OutputOf<Q>]?: OutputOf<Q>[K] | undefined } }
    : unknown) &
  (Routes[Id] extends { body: infer B } ? { body: InputOf<B> } : unknown);
/** What one route answers with; `undefined` where it has no body. */
export type CallResult<Id extends RouteId> = Routes[Id] extends { response: infer R } ? OutputOf<R> : undefined;

/** Method and path of every route: all that the client needs of the contract at run time. */
export type RouteTable = { readonly [Id in RouteId]: { readonly method: string; readonly path: string } };

/** A refused call. `detail` is a sentence for people; `fields` says which input was wrong. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fields: readonly FieldProblem[];
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? (status === 0 ? 'unreachable' : 'internal');
    this.detail = this.message;
    this.fields = problem.fields ?? [];
    this.requestId = problem.requestId ?? null;
    this.retryAfterSeconds = problem.retryAfterSeconds ?? null;
  }

  /** The message for one field of the body, or undefined. */
  field(name: string): string | undefined {
    return this.fields.find((problem) => problem.field === `body.${name}` || problem.field === name)?.message;
  }
}

export interface Api {
  /** Calls one route. Throws `ApiError`; an expired access token is renewed once, without the caller noticing. */
  call<Id extends RouteId>(id: Id, ...input: CallArguments<Id>): Promise<CallResult<Id>>;
  /** Renews the access token with the cookie. False when there is no session. Concurrent callers share one request. */
  refresh(): Promise<Session | null>;
  /** Keeps the access token in memory, nowhere else. */
  adopt(session: Session | null): void;
}

type CallArguments<Id extends RouteId> =
  unknown extends CallInput<Id>
    ? [input?: { signal?: AbortSignal | undefined }]
    : object extends CallInput<Id>
      ? [input?: CallInput<Id> & { signal?: AbortSignal | undefined }]
      : [input: CallInput<Id> & { signal?: AbortSignal | undefined }];

interface RawInput {
  params?: Record<string, string>;
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/**
 * The typed client of the native API.
 * `exclusive` runs a task while no other tab of this browser runs one under the same name: refresh tokens are used once.
 */
export function createApi(parts: {
  routeTable: RouteTable;
  fetch: typeof globalThis.fetch;
  onSignedOut: () => void;
  exclusive?: <T>(name: string, task: () => Promise<T>) => Promise<T>;
}): Api {
  const exclusive = parts.exclusive ?? ((_name, task) => task());
  let accessToken: string | null = null;
  let refreshing: Promise<Session | null> | null = null;

  async function send(id: RouteId, input: RawInput): Promise<Response> {
    const { method, path } = parts.routeTable[id];
    const headers: Record<string, string> = { accept: 'application/json', 'x-evenkeel-request': '1' };
    if (accessToken) headers['authorization'] = `Bearer ${accessToken}`;
    const hasBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
    if (hasBody) headers['content-type'] = 'application/json';
    const init: RequestInit = { method, headers, credentials: 'same-origin' };
    if (hasBody) init.body = JSON.stringify(input.body ?? {});
    if (input.signal) init.signal = input.signal;
    // Browsers cut all requests when a network interface comes or goes, which a container does on the machine of the
    // engine. What only reads is asked again.
    for (let triesLeft = method === 'GET' ? 2 : 0; ; triesLeft -= 1) {
      try {
        return await parts.fetch(urlOf(path, input), init);
      } catch (cause) {
        if (input.signal?.aborted) throw cause;
        if (triesLeft === 0) throw new ApiError(0, { detail: 'Evenkeel does not answer. Is the server running?' });
      }
    }
  }

  function refresh(): Promise<Session | null> {
    refreshing ??= exclusive('evenkeel-refresh', async () => {
      const response = await send('refresh', {});
      if (response.status === 401) {
        accessToken = null;
        return null;
      }
      const session = (await read(response)) as Session;
      accessToken = session.accessToken;
      return session;
    }).finally(() => {
      refreshing = null;
    });
    return refreshing;
  }

  async function call(id: RouteId, input: RawInput = {}): Promise<unknown> {
    const used = accessToken;
    const response = await send(id, input);
    const renewable = response.status === 401 && id !== 'login' && id !== 'refresh' && id !== 'setup';
    if (!renewable) return read(response);
    // Another call may have renewed the token while this one was on its way.
    const renewed = accessToken !== null && accessToken !== used ? true : (await refresh()) !== null;
    if (renewed) {
      const second = await send(id, input);
      if (second.status !== 401) return read(second);
    }
    accessToken = null;
    parts.onSignedOut();
    return read(response);
  }

  return {
    call: call as Api['call'],
    refresh,
    adopt(session) {
      accessToken = session?.accessToken ?? null;
    },
  };
}

function urlOf(path: string, input: RawInput): string {
  const filled = path.replace(/:([a-zA-Z]+)/g, (_match, name: string) =>
    encodeURIComponent(input.params?.[name] ?? ''),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined && value !== null) search.set(name, String(value));
  }
  const query = search.toString();
  return query ? `${filled}?${query}` : filled;
}

async function read(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  const text = await response.text();
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new ApiError(response.status, { detail: 'The answer was not JSON. Is there a proxy in between?' });
  }
  if (!response.ok) throw new ApiError(response.status, (body ?? {}) as Partial<Problem>);
  return body;
}
