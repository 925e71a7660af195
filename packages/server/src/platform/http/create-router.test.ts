import { type Operation, type Page, type Problem, type RouteSpec, routes } from '@evenkeel/contract';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { LiveCollection } from '../bus/live-collection.ts';
import { Fault } from '../fault.ts';
import { createLog } from '../log/create-log.ts';
import type { Actor } from './actor.ts';
import { createAllowedHosts } from './allowed-hosts.ts';
import { createRouter } from './create-router.ts';
import { createHttpServer } from './http-server.ts';
import type { Router } from './router.ts';

const viewer: Actor = { kind: 'user', id: 'v', name: 'vera', capabilities: new Set(['operation:read']), session: 's' };
const keeper: Actor = {
  ...viewer,
  id: 'k',
  name: 'kim',
  capabilities: new Set(['registry:write', 'container:logs']),
};
const bearer = { authorization: 'Bearer viewer' };

let now: number;
let app: FastifyInstance;
let router: Router;

let lines: Record<string, unknown>[];

beforeEach(async () => {
  lines = [];
  app = await createHttpServer({
    log: createLog({ level: 'info', destination: { write: (line: string) => void lines.push(JSON.parse(line)) } }),
    hosts: createAllowedHosts([]),
    trustedProxies: [],
    sessionCookie: 'evenkeel_refresh',
  });
  now = 0;
  router = createRouter(app, {
    authenticate: async (token) => ({ viewer, keeper, 'other-keeper': { ...keeper, id: 'k2' } })[token],
    checkAnswers: true,
    now: () => now,
  });
});
afterEach(() => app.close());

describe('input', () => {
  beforeEach(() => router.handle(routes.login, () => never()));

  test('all wrong fields are named at once, unknown ones too', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/session?x=1',
      payload: { username: '', kind: 'carrier pigeon', extra: true },
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    const problem = answer.json<Problem>();
    expect(problem.requestId).toBe(answer.headers['x-request-id']);
    expect(problem.fields?.map(({ field, rule }) => `${field} ${rule}`)).toEqual([
      'query.x unrecognized_keys',
      'body.username too_small',
      'body.password invalid_type',
      'body.kind invalid_value',
      'body.extra unrecognized_keys',
    ]);
  });

  test.each([
    ['no JSON', 'application/json', '{"username":', 400, 'bad_input'],
    ['a prototype key', 'application/json', '{"__proto__":{"a":1},"username":"a","password":"b"}', 400, 'bad_input'],
    ['a form', 'application/x-www-form-urlencoded', 'username=a', 415, 'unsupported_media_type'],
    ['plain text', 'text/plain', '{"username":"a"}', 415, 'unsupported_media_type'],
    ['more than 1 MiB', 'application/json', JSON.stringify({ username: 'x'.repeat(1_100_000) }), 413, 'too_large'],
    ['no body', 'application/json', '', 400, 'bad_input'],
  ])('%s is refused', async (_name, type, payload, status, code) => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/session',
      headers: { 'content-type': type },
      payload,
    });
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([status, code]);
  });

  test('an unknown path and a path that cannot be read are problems too', async () => {
    expect((await app.inject('/api/v1/nothing')).json<Problem>()).toMatchObject({ code: 'not_found', status: 404 });
    expect((await app.inject('/api/v1/%zz')).json<Problem>()).toMatchObject({ code: 'bad_input', status: 400 });
  });
});

describe('access', () => {
  test('a route that does not say who may call it cannot be registered', () => {
    const open = { ...routes.health, access: undefined } as unknown as RouteSpec;
    expect(() => router.handle(open, () => undefined as never)).toThrow(/who may call/);
  });

  test('without a token 401, without the capability 403, before the body is looked at', async () => {
    router.handle(routes.changeSettings, () => never());
    const wrongBody = { method: 'PATCH', url: '/api/v1/settings', payload: { nonsense: 1 } } as const;
    expect((await app.inject(wrongBody)).statusCode).toBe(401);
    expect((await app.inject({ ...wrongBody, headers: { authorization: 'Bearer other' } })).statusCode).toBe(401);
    expect((await app.inject({ ...wrongBody, headers: { authorization: 'Basic viewer' } })).statusCode).toBe(401);
    const denied = await app.inject({ ...wrongBody, headers: bearer });
    expect([denied.statusCode, denied.json<Problem>().code]).toEqual([403, 'denied']);
  });
});

describe('answers', () => {
  test('a fault is a problem with its code; an error of ours says nothing more', async () => {
    router.handle(routes.health, () => {
      throw new Fault('too_many_requests', 'Slow down.', { retryAfterSeconds: 2.2 });
    });
    router.handle(routes.setupState, () => {
      throw new Error('the secret is canary');
    });
    const limited = await app.inject('/api/v1/health');
    expect(limited.headers['retry-after']).toBe('3');
    expect(limited.json()).toMatchObject({ code: 'too_many_requests', detail: 'Slow down.', retryAfterSeconds: 2.2 });
    const broken = await app.inject('/api/v1/setup');
    expect(broken.statusCode).toBe(500);
    expect(broken.body).not.toContain('canary');
    expect(broken.json<Problem>().detail).toBeUndefined();
  });

  test('in tests, an answer with a field that the contract lacks is an error', async () => {
    router.handle(routes.setupState, () => ({ setupNeeded: true, secret: 'x' }));
    expect((await app.inject('/api/v1/setup')).statusCode).toBe(500);
  });

  test.each([
    ['an answer', '/api/v1/setup'],
    ['an error', '/api/v1/nothing'],
    ['a refusal', '/api/v1/setup?token=x'],
  ])('%s carries the security headers', async (_name, url) => {
    router.handle(routes.setupState, () => ({ setupNeeded: true }));
    const { headers } = await app.inject(url);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'/,
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    expect(headers['strict-transport-security']).toBeUndefined();
  });
});

describe('a list', () => {
  const operations = new LiveCollection<Operation>({ topic: 'operations', keyOf: ({ id }) => id });
  const operation = (id: string, state: Operation['state']): Operation => ({
    id,
    kind: 'check',
    title: `Check ${id}`,
    host: null,
    targets: [],
    state,
    progress: { done: 0, total: null, text: '' },
    cancellable: false,
    actor: 'anna',
    run: null,
    error: null,
    summary: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    finishedAt: null,
  });

  beforeEach(() => {
    const ids = Array.from({ length: 25 }, (_, number) => String(number).padStart(2, '0'));
    operations.publish(
      ids.map((id) => operation(id, Number(id) % 5 === 0 ? 'failed' : 'succeeded')),
      [],
    );
    router.list(routes.listOperations, {
      collection: operations,
      matches: (item, query) => query.state === undefined || item.state === query.state,
      texts: ({ title }) => [title],
      sorts: {
        createdAt: ({ createdAt }) => createdAt,
        title: ({ title }) => title,
        state: ({ state }) => state,
      },
    });
  });

  const get = (query: string, headers = {}) =>
    app.inject({ url: `/api/v1/operations${query}`, headers: { ...bearer, ...headers } });

  test('pages hold each item once, also with equal sort values', async () => {
    for (const sort of ['', '&sort=-createdAt', '&sort=title', '&sort=-title']) {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: Page<Operation> = (await get(`?limit=7${sort}${cursor ? `&cursor=${cursor}` : ''}`)).json();
        expect(page.total).toBe(25);
        seen.push(...page.items.map((item) => item.id));
        cursor = page.nextCursor;
      }
      expect(new Set(seen).size).toBe(25);
      // Without a wish the newest come first.
      const descending = sort === '' || sort.includes('=-');
      expect(seen).toEqual(descending ? seen.toSorted().reverse() : seen.toSorted());
    }
  });

  test('filters and searches', async () => {
    expect((await get('?state=failed')).json().total).toBe(5);
    expect((await get('?q=cHECK%2007')).json().items).toHaveLength(1);
  });

  test.each([
    '?sort=password',
    '?sort=constructor',
    '?cursor=nonsense',
    '?limit=0',
    '?limit=x',
    '?state=odd',
    '?what=1',
  ])('%s is refused with the field', async (query) => {
    const answer = await get(query);
    expect(answer.statusCode).toBe(400);
    expect(answer.json<Problem>().fields?.[0]?.field).toMatch(/^query\./);
  });

  test('a cursor of another order is refused', async () => {
    const { nextCursor } = (await get('?limit=5&sort=title')).json();
    expect((await get(`?limit=5&sort=-title&cursor=${nextCursor}`)).statusCode).toBe(400);
  });

  test('is not sent again while nothing has changed', async () => {
    const first = await get('');
    const etag = String(first.headers['etag']);
    const again = await get('', { 'if-none-match': `"other", W/${etag}` });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    expect((await get('?limit=5', { 'if-none-match': etag })).statusCode).toBe(200);
    operations.put(operation('00', 'running'));
    const changed = await get('', { 'if-none-match': etag });
    expect(changed.statusCode).toBe(200);
    expect(changed.headers['etag']).not.toBe(etag);
  });
});

describe('who may ask', () => {
  beforeEach(() => {
    router.handle(routes.health, () => ({ status: 'ok', version: '1', build: 'b' }) as const);
    router.handle(routes.login, () => never());
  });

  test.each([
    ['localhost:8420', 200],
    ['127.0.0.1', 200],
    ['[::1]:8420', 200],
    ['192.168.1.4:8420', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
  ])('Host %s: %i', async (host, status) => {
    expect((await app.inject({ url: '/api/v1/health', headers: { host } })).statusCode).toBe(status);
  });

  test.each([
    [{ origin: 'http://localhost:8420' }, 400],
    [{ origin: 'https://localhost:8420' }, 400],
    [{ origin: 'http://LOCALHOST:8420' }, 400],
    [{}, 400],
    [{ origin: 'http://localhost:9999' }, 403],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ cookie: 'evenkeel_refresh=x' }, 403],
    [{ cookie: 'evenkeel_refresh=x', 'x-evenkeel-request': '1' }, 400],
  ])('a change with %j: %i', async (headers, status) => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/session',
      headers: { host: 'localhost:8420', ...headers },
      payload: {},
    });
    expect(answer.statusCode).toBe(status);
  });

  test.each(['token', 'access_token', 'ticket'])('a %s in the URL is refused', async (name) => {
    const answer = await app.inject(`/api/v1/health?${name}=viewer`);
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([401, 'not_signed_in']);
  });
});

describe('the log', () => {
  test('has each refusal with its request, address and user, and nothing of what was sent', async () => {
    router.handle(routes.changeSettings, () => never());
    router.handle(routes.login, () => never());
    const denied = await app.inject({ method: 'PATCH', url: '/api/v1/settings', headers: bearer, payload: {} });
    const foreign = await app.inject({
      method: 'POST',
      url: '/api/v1/session',
      headers: { origin: 'http://evil.example' },
      payload: {},
    });
    const wrong = await app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: { username: 7, password: 'canary' },
    });
    const unknown = await app.inject('/api/v1/nothing?q=canary');
    const unreadable = await app.inject('/api/v1/%zz');
    const unsigned = await app.inject({ method: 'PATCH', url: '/api/v1/settings', payload: {} });
    const of = (answer: { headers: Record<string, unknown> }) =>
      lines.find(({ request }) => request === answer.headers['x-request-id']);
    expect(of(denied)).toMatchObject({ level: 'warn', code: 'denied', user: 'vera', address: '127.0.0.1' });
    expect(of(foreign)).toMatchObject({ level: 'warn', code: 'origin_refused', status: 403 });
    expect(of(wrong)).toMatchObject({ level: 'info', code: 'bad_input', path: '/api/v1/session' });
    expect(of(unknown)).toMatchObject({ level: 'info', code: 'not_found', path: '/api/v1/nothing' });
    expect(lines.find(({ request }) => request === unreadable.json<Problem>().requestId)).toMatchObject({
      level: 'info',
      code: 'bad_input',
    });
    expect(of(unsigned)).toMatchObject({ level: 'info', code: 'not_signed_in' });
    expect(JSON.stringify(lines)).not.toContain('canary');
  });

  test('has each change with who made it, and no reading', async () => {
    router.handle(routes.setupState, () => ({ setupNeeded: false }));
    router.handle(routes.streamTicket, () => ({ ticket: 't', expiresAt: 'x' }));
    await app.inject('/api/v1/setup');
    expect(lines).toEqual([]);
    const changed = await app.inject({ method: 'POST', url: '/api/v1/stream-tickets', headers: bearer });
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'info',
        msg: 'request',
        request: changed.headers['x-request-id'],
        user: 'vera',
        method: 'POST',
        path: '/api/v1/stream-tickets',
        status: 201,
      }),
    ]);
  });
});

describe('floods', () => {
  test('each actor has so many requests of a class; the next says when to come again, and others go on', async () => {
    router.handle(routes.testRegistry, () => ({ ok: true, detail: '' }));
    router.handle(routes.setupState, () => ({ setupNeeded: false }));
    const ask = (user: string) =>
      app.inject({ method: 'POST', url: '/api/v1/registries/x/test', headers: { authorization: `Bearer ${user}` } });
    const codes: number[] = [];
    for (let n = 0; n < 6; n += 1) codes.push((await ask('keeper')).statusCode);
    expect(codes).toEqual([200, 200, 200, 200, 200, 429]);
    const refused = await ask('keeper');
    expect(refused.json<Problem>().code).toBe('too_many_requests');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('other-keeper')).statusCode).toBe(200);
    expect((await app.inject('/api/v1/setup')).statusCode).toBe(200);
    now += 12_000;
    expect((await ask('keeper')).statusCode).toBe(200);
    expect((await ask('keeper')).statusCode).toBe(429);
  });

  test('of what is costly only a few are at work at once for one actor', async () => {
    const { promise, resolve } = Promise.withResolvers<{ lines: never[]; truncated: boolean }>();
    let atWork = 0;
    router.handle(routes.containerLogs, () => {
      atWork += 1;
      return promise;
    });
    const asked = {
      url: '/api/v1/containers/local/web/logs?q=x',
      headers: { authorization: 'Bearer keeper' },
    };
    const ask = async () => app.inject(asked);
    const running = [ask(), ask(), ask(), ask()];
    await vi.waitFor(() => expect(atWork).toBe(4));
    const refused = await ask();
    expect([refused.statusCode, refused.json<Problem>().code]).toEqual([429, 'too_many_requests']);
    resolve({ lines: [], truncated: false });
    for (const one of running) expect((await one).statusCode).toBe(200);
    expect((await ask()).statusCode).toBe(200);
  });
});

function never(): never {
  throw new Error('the handler must not be reached');
}

test('the contract has no route with effect on GET and no open body', () => {
  for (const route of Object.values<RouteSpec>(routes)) {
    if (route.method === 'GET') expect(route.body).toBeUndefined();
    if (route.body instanceof z.ZodObject) expect(route.body.safeParse({ surely_unknown: 1 }).success).toBe(false);
  }
});
