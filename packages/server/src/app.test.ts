import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Problem, type RouteSpec, routes, type Session, type User } from '@evenkeel/contract';
import { hash } from '@node-rs/argon2';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type App, createApp } from './app.ts';
import { readConfig } from './config/index.ts';
import { silentLog } from './platform/log/create-log.ts';
import { databaseName } from './platform/store/data-folder.ts';

const token = 'the-token-of-this-test';
const password = 'correct horse battery';
const table = Object.values<RouteSpec>(routes);
const roles = ['owner', 'operator', 'viewer'] as const;

let folder: string;
let app: App;
const sessions = new Map<string, Session>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-app-'));
  app = await open();
  await setUp();
  for (const role of ['operator', 'viewer'] as const) await addUser(role);
  for (const role of roles) sessions.set(role, await logIn(role));
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

function open(): Promise<App> {
  const environment = {
    HOME: folder,
    EVENKEEL_DATA_DIR: join(folder, 'data'),
    EVENKEEL_ENGINE: `unix://${folder}/no-engine.sock`,
    EVENKEEL_SETUP_TOKEN: token,
    EVENKEEL_METRICS_TOKEN: 'the-token-of-prometheus',
  };
  const result = readConfig({ environment, arguments: [], readFile: () => '' });
  if (result.kind !== 'config') throw new Error('the configuration is wrong');
  return createApp({
    config: result.config,
    version: '0.0.0',
    webFolder: join(folder, 'web'),
    log: silentLog(),
    checkAnswers: true,
  });
}

function ask(route: RouteSpec, options: { as?: string; body?: unknown; params?: Record<string, string> } = {}) {
  const { as, body, params = {} } = options;
  const accessToken = as === undefined ? undefined : sessions.get(as)?.accessToken;
  return app.face.app.inject({
    method: route.method,
    url: route.path.replaceAll(/:(\w+)/g, (_match, name: string) => params[name] ?? 'unknown'),
    ...(accessToken === undefined ? {} : { headers: { authorization: `Bearer ${accessToken}` } }),
    ...(body === undefined ? {} : { payload: body as object }),
  });
}

async function setUp(): Promise<void> {
  const answers = await Promise.all(
    ['owner', 'other'].map((username) => ask(routes.setup, { body: { token, username, password, kind: 'bearer' } })),
  );
  expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 409]);
  write(`UPDATE users SET username = 'owner', username_key = 'owner'`);
}

async function addUser(role: User['role']): Promise<void> {
  const stored = await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  write(`INSERT INTO users VALUES ('${role}-id', '${role}', '${role}', NULL, NULL, '${stored}', '${role}', 1, 0)`);
}

function write(sql: string): void {
  const database = new Database(join(folder, 'data', databaseName));
  database.exec(sql);
  database.close();
}

async function logIn(username: string): Promise<Session> {
  const answer = await ask(routes.login, { body: { username, password, kind: 'bearer' } });
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

describe('access', () => {
  /** What a role may do, written down once more: a capability that gets into a role by mistake is found here. */
  const reading = ['system', 'host', 'container', 'update', 'operation', 'registry', 'settings'].map(
    (n) => `${n}:read`,
  );
  const granted: Readonly<Record<(typeof roles)[number], readonly string[]>> = {
    owner: table.map(({ access }) => access),
    operator: [...reading, 'container:logs', 'container:write', 'update:check', 'update:run', 'operation:cancel'],
    viewer: [...reading, 'container:logs'],
  };

  test.each(table.map((route) => [route.id, route] as const))('of %s: anonymous and each role', async (_id, route) => {
    const anonymous = await ask(route, { body: route.body && { surely: 'wrong' } });
    if (route.access === 'public') expect(anonymous.statusCode).not.toBe(403);
    else expect([anonymous.statusCode, anonymous.json<Problem>().code]).toEqual([401, 'not_signed_in']);
    // Those two would end the session that the other tests use; `accounts.test.ts` drives them.
    if (route.id === 'logout' || route.access === 'public') return;
    for (const role of roles) {
      const may = route.access === 'signed-in' || granted[role].includes(route.access);
      const { statusCode } = await ask(route, { as: role, body: route.body && { surely: 'wrong' } });
      expect(statusCode === 403, `${role} on ${route.id}: ${statusCode}`).toBe(!may);
      expect(statusCode, `${role} on ${route.id}`).toBeLessThan(500);
    }
  });
});

describe('wrong input', () => {
  const withBody = table.filter(({ body }) => body !== undefined);

  test.each(withBody.map((route) => [route.id, route] as const))(
    '%s names the field and the rule',
    async (_id, route) => {
      const answer = await ask(route, { as: 'owner', body: { surely_unknown: 1 } });
      expect(answer.statusCode).toBe(400);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      const { code, fields, detail, requestId } = answer.json<Problem>();
      expect(code).toBe('bad_input');
      expect(detail?.length).toBeGreaterThan(10);
      expect(requestId).toBe(answer.headers['x-request-id']);
      expect(fields).toContainEqual({
        field: 'body.surely_unknown',
        rule: 'unrecognized_keys',
        message: 'is not a known field',
      });
    },
  );

  test.each(withBody.map((route) => [route.id, route] as const))(
    '%s takes a list for what it is',
    async (_id, route) => {
      for (const body of [[], 'text', 7]) {
        const answer = await app.face.app.inject({
          method: route.method,
          url: route.path.replaceAll(/:\w+/g, 'unknown'),
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${sessions.get('owner')?.accessToken}`,
          },
          payload: JSON.stringify(body),
        });
        expect([answer.statusCode, answer.json<Problem>().code]).toEqual([400, 'bad_input']);
      }
    },
  );

  test.each(table.filter(({ query }) => query !== undefined).map((route) => [route.id, route] as const))(
    '%s refuses an unknown parameter',
    async (_id, route) => {
      const answer = await app.face.app.inject({
        url: `${route.path.replaceAll(/:\w+/g, 'unknown')}?surely_unknown=1&limit=-1`,
        headers: { authorization: `Bearer ${sessions.get('owner')?.accessToken}` },
      });
      expect(answer.json<Problem>().fields?.map(({ field }) => field)).toContain('query.surely_unknown');
    },
  );
});

describe('the first run', () => {
  test('is over once there is an owner', async () => {
    expect((await ask(routes.setupState)).json()).toEqual({ setupNeeded: false });
    const late = await ask(routes.setup, { body: { token, username: 'late', password } });
    expect([late.statusCode, late.json<Problem>().code]).toEqual([404, 'not_found']);
  });
});

describe('a browser', () => {
  const browser = { 'x-evenkeel-request': '1', host: 'localhost:8420', origin: 'http://localhost:8420' };

  test('keeps its refresh token in a cookie that scripts and other sites cannot reach', async () => {
    const answer = await app.face.app.inject({
      method: 'POST',
      url: routes.login.path,
      headers: browser,
      payload: { username: 'viewer', password },
    });
    expect(answer.json<Session>().refreshToken).toBeUndefined();
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(/^evenkeel_refresh=[\w-]{43}; .*HttpOnly; SameSite=Strict/);
    expect(cookie).toContain('Path=/api/v1/session');
    const value = cookie.split(';', 1)[0] ?? '';
    const refresh = (headers: Record<string, string>) =>
      app.face.app.inject({ method: 'POST', url: routes.refresh.path, headers, payload: {} });
    expect((await refresh({ ...browser, cookie: value, 'x-evenkeel-request': '' })).statusCode).not.toBe(500);
    const { 'x-evenkeel-request': _header, ...without } = browser;
    expect((await refresh({ ...without, cookie: value })).statusCode).toBe(403);
    expect((await refresh({ ...browser, origin: 'http://evil.example', cookie: value })).statusCode).toBe(403);
    const gone = await refresh({ ...browser, cookie: 'evenkeel_refresh=nonsense' });
    expect(gone.statusCode).toBe(401);
    expect(String(gone.headers['set-cookie'])).toMatch(/^evenkeel_refresh=;/);
  });
});

describe('enumeration', () => {
  test('a wrong password and an unknown user get the same status and body', async () => {
    const bodies = await Promise.all(
      ['viewer', 'surely-unknown'].map(async (username) => {
        const answer = await ask(routes.login, { body: { username, password: 'wrong' } });
        const { requestId: _id, ...rest } = answer.json<Problem>();
        return rest;
      }),
    );
    expect(bodies[0]).toEqual(bodies[1]);
    expect(bodies[0]?.status).toBe(401);
  });
});

describe('a bad day', () => {
  test('without an engine the server works and says so', async () => {
    await vi.waitFor(async () => {
      const { notices } = (await ask(routes.system, { as: 'viewer' })).json();
      expect(notices).toContainEqual(expect.objectContaining({ code: 'host_unreachable:local', severity: 'error' }));
    }, 30_000);
    expect((await ask(routes.health)).json().status).toBe('degraded');
    expect((await app.face.app.inject('/metrics')).statusCode).toBe(401);
    const metrics = await app.face.app.inject({
      url: '/metrics',
      headers: { authorization: 'Bearer the-token-of-prometheus' },
    });
    expect(metrics.body).toContain('evenkeel_host_online{host="local"} 0');
    expect(metrics.body).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/api\/v1\/health",status="200"\} \d/,
    );
  });

  test('a second server on the same data folder is refused', async () => {
    await expect(open()).rejects.toThrow(/Another Evenkeel is running/);
    expect((await ask(routes.health)).statusCode).toBe(200);
  });

  test('with a damaged database people can still log in and look, and nothing is changed', async () => {
    await app.close();
    damageIndex('operations_finished');
    app = await open();
    expect(app.notices.collection.get('database_damaged')).toBeDefined();
    sessions.set('owner', await logIn('owner'));
    expect((await ask(routes.system, { as: 'owner' })).json()).toMatchObject({ readOnly: true });
    expect((await ask(routes.listOperations, { as: 'owner' })).statusCode).toBe(200);
  });

  /** They write nothing that has to last: sessions of a server that cannot write live as long as it does. */
  const harmless = new Set([
    'login',
    'refresh',
    'logout',
    'streamTicket',
    'planUpdate',
    'testRegistry',
    'cancelOperation',
  ]);

  test.each(table.filter(({ method }) => method !== 'GET').map((route) => [route.id, route] as const))(
    '%s is refused while nothing can be written, unless it writes nothing that lasts',
    async (id, route) => {
      expect(app.notices.collection.get('database_damaged')).toBeDefined();
      expect(route.errors.includes('read_only'), 'its contract says so').toBe(!harmless.has(id));
      if (harmless.has(id)) return;
      const answer = await ask(route, { as: 'owner', body: route.body && {} });
      expect([answer.statusCode, answer.json<Problem>().code]).toEqual([503, 'read_only']);
    },
  );

  /** Overwrites the first page of an index: the integrity check finds it, the tables can be read. */
  function damageIndex(name: string): void {
    const path = join(folder, 'data', databaseName);
    const database = new Database(path);
    const page = database
      .prepare<[string], { rootpage: number }>('SELECT rootpage FROM sqlite_schema WHERE name = ?')
      .get(name)?.rootpage;
    const size = database.pragma('page_size', { simple: true }) as number;
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    if (page === undefined) throw new Error(`there is no index ${name}`);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(size, 0xff), 0, size, (page - 1) * size);
    closeSync(file);
  }
});
