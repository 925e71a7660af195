import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Problem, routes } from '@evenkeel/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { LiveCollection } from '../bus/live-collection.ts';
import { silentLog } from '../log/create-log.ts';
import type { Actor } from './actor.ts';
import { createHttpFace, type HttpFace } from './http-face.ts';
import type { StreamCollections, StreamLimits } from './stream/stream.ts';

const reader: Actor = { kind: 'user', id: 'r', name: 'rita', capabilities: new Set(['system:read']), session: 's' };
const nobody: Actor = { ...reader, id: 'n', name: 'nemo', capabilities: new Set() };

let web: string;
let face: HttpFace;
let endSession: (session: string) => void;

async function start(trustedProxies: readonly string[] = [], streamLimits: Partial<StreamLimits> = {}): Promise<void> {
  face = await createHttpFace({
    log: silentLog(),
    version: '1.2.3',
    hostNames: ['evenkeel.lan'],
    trustedProxies,
    sessionCookie: 'evenkeel_refresh',
    authenticate: async (token) => ({ reader, nobody })[token],
    redeemTicket: (ticket) => (ticket === 'good' ? reader : undefined),
    onSessionEnd: (listener) => {
      endSession = listener;
      return () => undefined;
    },
    collections: collections(),
    followLogs: () => undefined,
    metrics: {
      contentType: 'text/plain; version=0.0.4',
      token: 'a-token-for-prometheus',
      text: async () => 'evenkeel_up 1\n',
    },
    sessionInForce: () => true,
    readOnly: () => false,
    drainMilliseconds: 50,
    streamLimits,
    webFolder: web,
  });
}

function collections(): StreamCollections {
  const empty = () => new LiveCollection<{ id: string }>({ topic: 'empty', keyOf: ({ id }) => id });
  return {
    hosts: empty(),
    containers: empty(),
    updates: empty(),
    runs: empty(),
    operations: empty(),
    notices: empty(),
  };
}

beforeEach(async () => {
  web = mkdtempSync(join(tmpdir(), 'evenkeel-web-'));
  mkdirSync(join(web, 'assets'));
  writeFileSync(join(web, 'index.html'), '<!doctype html><title>Evenkeel</title>');
  writeFileSync(join(web, 'assets', 'main-abc123.js'), 'export {};');
  writeFileSync(join(web, '.sources'), 'not for others');
  await start();
});
afterEach(async () => {
  await face.close();
  rmSync(web, { recursive: true });
});

const page = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('the web application', () => {
  test.each(['/', '/containers/local/web', '/updates'])('%s is its page, never kept', async (url) => {
    const answer = await face.app.inject({ url, headers: page });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toContain('text/html');
    expect(answer.headers['cache-control']).toBe('no-cache');
    expect(answer.headers['content-security-policy']).toContain("script-src 'self'");
    expect(answer.body).toContain('<title>Evenkeel');
  });

  test('hashed files may be kept for ever', async () => {
    const answer = await face.app.inject('/assets/main-abc123.js');
    expect(answer.headers['content-type']).toContain('javascript');
    expect(answer.headers['cache-control']).toContain('immutable');
  });

  test.each([
    '/assets/main-gone.js',
    '/favicon.ico',
    '/api/v1/nothing',
    '/.sources',
    '/assets/../.sources',
    '/..%2f..%2fetc/passwd',
    '/..%5c..%5cetc/passwd.txt',
    '/assets/%00.js',
  ])('%s is not there', async (url) => {
    const answer = await face.app.inject({ url, headers: page });
    expect([400, 404]).toContain(answer.statusCode);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  test('that was not built says so', async () => {
    rmSync(join(web, 'index.html'));
    const answer = await face.app.inject({ url: '/', headers: page });
    expect([answer.statusCode, answer.body]).toEqual([503, expect.stringContaining('not been built')]);
  });
});

describe('the API documents', () => {
  test('describe every route, with every reference resolved', async () => {
    const answer = await face.app.inject('/openapi.json');
    const document = answer.json();
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
    const ids = Object.values<Record<string, { operationId: string }>>(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(ids.toSorted()).toEqual(Object.keys(routes).toSorted());
    const wanted = [...answer.body.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1] ?? '');
    expect(wanted.length).toBeGreaterThan(50);
    for (const name of wanted) expect(document.components.schemas, name).toHaveProperty(name);
    expect(answer.body).not.toContain('9007199254740991');
    expect(answer.body).not.toContain('$defs');
  });

  test('say how lists are sorted and asked for again, which bodies must be there, and what a cookie needs', async () => {
    const { paths } = (await face.app.inject('/openapi.json')).json();
    const list = paths['/api/v1/containers'].get;
    const parameter = (operation: { parameters: { name: string; in: string }[] }, name: string) =>
      operation.parameters.find((one) => one.name === name);
    expect(parameter(list, 'sort')).toMatchObject({
      in: 'query',
      schema: { enum: expect.arrayContaining(['name', '-name', 'createdAt', '-createdAt']), default: 'name' },
    });
    expect(parameter(paths['/api/v1/runs'].get, 'sort')).toMatchObject({ schema: { default: '-createdAt' } });
    expect(parameter(list, 'If-None-Match')).toMatchObject({ in: 'header', required: false });
    expect(list.responses['200'].headers).toHaveProperty('ETag');
    expect(list.responses['304'].description).toMatch(/has not changed/);
    expect(list.responses['429'].headers).toHaveProperty('Retry-After');
    expect(paths['/api/v1/hosts/{host}'].get.responses).not.toHaveProperty('304');
    expect(paths['/api/v1/session'].post.requestBody.required).toBe(true);
    expect(paths['/api/v1/updates/check'].post.requestBody.required).toBe(false);
    const refresh = paths['/api/v1/session/refresh'].post;
    expect(parameter(refresh, 'evenkeel_refresh')).toMatchObject({ in: 'cookie', required: false });
    expect(parameter(refresh, 'x-evenkeel-request')).toMatchObject({ in: 'header', required: false });
  });

  test('are shown without the network', async () => {
    const answer = await face.app.inject('/docs');
    expect(answer.statusCode).toBe(200);
    const files = [...answer.body.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)].map((match) => match[1] ?? '');
    expect(files).toHaveLength(3);
    expect(answer.body).not.toMatch(/(src|href)="(https?:)?\/\//);
    for (const file of files) expect((await face.app.inject(file)).statusCode, file).toBe(200);
    expect(answer.headers['content-security-policy']).toContain("script-src 'self';");
    expect((await face.app.inject('/docs/start.js')).body).toContain("url: '/openapi.json'");
    expect((await face.app.inject('/docs/files/index.html')).statusCode).toBe(404);
    expect((await face.app.inject('/docs/errors')).body).toContain('id="disk_full"');
  });
});

describe('metrics', () => {
  const get = (headers = {}, remoteAddress = '127.0.0.1') =>
    face.app.inject({ url: '/metrics', headers, remoteAddress });

  test.each([
    ['this machine without a token', {}, '127.0.0.1', 401],
    ['another machine', {}, '192.0.2.1', 401],
    ['a wrong token', { authorization: 'Bearer a-token-for-prometheuS' }, '127.0.0.1', 401],
    ['the token of the configuration', { authorization: 'Bearer a-token-for-prometheus' }, '192.0.2.1', 200],
    ['a token that may not', { authorization: 'Bearer nobody' }, '192.0.2.1', 403],
    ['a token that may', { authorization: 'Bearer reader' }, '192.0.2.1', 200],
  ])('%s: %j from %s is answered with %i', async (_name, headers, address, status) => {
    expect((await get(headers, address)).statusCode).toBe(status);
  });
});

describe('stopping', () => {
  test('does not wait for ever for a request that does not end', async () => {
    let reached = () => {};
    const asked = new Promise<void>((resolve) => {
      reached = resolve;
    });
    face.app.get('/never', () => {
      reached();
      return new Promise(() => undefined);
    });
    const port = await face.listen({ host: '127.0.0.1', port: 0 });
    const answer = fetch(`http://127.0.0.1:${port}/never`).then(
      () => 'an answer',
      () => 'cut',
    );
    await asked;
    await face.close();
    expect(await answer).toBe('cut');
  });
});

describe('TLS in front', () => {
  const health = (remoteAddress: string) =>
    face.app.inject({
      url: '/openapi.json',
      remoteAddress,
      headers: { host: 'inner:1', 'x-forwarded-host': 'evenkeel.lan', 'x-forwarded-proto': 'https' },
    });

  test('counts only when the proxy is a trusted one', async () => {
    await face.close();
    await start(['192.0.2.9']);
    const trusted = await health('192.0.2.9');
    expect(trusted.statusCode).toBe(200);
    expect(trusted.headers['strict-transport-security']).toContain('max-age');
    const other = await health('192.0.2.8');
    expect([other.statusCode, other.json<Problem>().code]).toEqual([403, 'origin_refused']);
  });
});

describe('the stream', () => {
  let port: number;
  beforeEach(async () => {
    port = await face.listen({ host: '127.0.0.1', port: 0 });
  });

  /** The status with which an upgrade is answered: 101 when it was let through. */
  function upgrade(headers: Record<string, string>, path = '/api/v1/stream'): Promise<number> {
    return new Promise((resolve, reject) => {
      const asked = request({
        port,
        host: '127.0.0.1',
        path,
        headers: {
          host: `localhost:${port}`,
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': Buffer.alloc(16, 1).toString('base64'),
          ...headers,
        },
      });
      asked.on('upgrade', (_response, socket) => {
        socket.destroy();
        resolve(101);
      });
      asked.on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  test.each<[string, (port: number) => Record<string, string>, number]>([
    ['its own origin', (own) => ({ origin: `http://localhost:${own}` }), 101],
    ['no origin and no cookie', () => ({}), 101],
    ['another port', () => ({ origin: 'http://localhost:1' }), 403],
    ['another site', () => ({ origin: 'https://evil.example' }), 403],
    ['the origin null', () => ({ origin: 'null' }), 403],
    ['no origin but a cookie', () => ({ cookie: 'evenkeel_refresh=x' }), 403],
    ['a rebound name', (own) => ({ host: `evil.example:${own}`, origin: `http://evil.example:${own}` }), 403],
  ])('opened from %s', async (_name, headers, status) => {
    expect(await upgrade(headers(port))).toBe(status);
  });

  test('is refused before the upgrade when too many have not said who they are', async () => {
    await face.close();
    await start([], { ungreetedPerNetwork: 2 });
    port = await face.listen({ host: '127.0.0.1', port: 0 });
    const waiting = [0, 1].map(() => new WebSocket(`ws://127.0.0.1:${port}/api/v1/stream`));
    for (const socket of waiting) await once(socket, 'open');
    expect(await upgrade({})).toBe(429);
    waiting[0]?.send(JSON.stringify({ type: 'hello', ticket: 'good' }));
    if (waiting[0] !== undefined) await once(waiting[0], 'message');
    expect(await upgrade({})).toBe(101);
  });

  test('takes no token from the URL, and is no plain page', async () => {
    expect(await upgrade({}, '/api/v1/stream?token=good')).toBe(401);
    expect((await face.app.inject('/api/v1/stream')).statusCode).toBe(400);
  });

  test('says hello with a ticket or an access token, and ends with the session', async () => {
    for (const hello of [{ ticket: 'good' }, { accessToken: 'reader' }]) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/stream`);
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'hello', ...hello }));
      const [data] = await once(socket, 'message');
      expect(JSON.parse(String(data))).toEqual({ type: 'welcome', build: face.build, user: 'rita' });
      expect(socket.extensions).toBe('');
      const closed = once(socket, 'close');
      endSession('s');
      expect((await closed)[0]).toBe(4403);
    }
  });

  test('a message that is too large ends the connection', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/stream`);
    await once(socket, 'open');
    socket.send('x'.repeat(100_000));
    expect((await once(socket, 'close'))[0]).toBe(1009);
  });

  test('closing the server sends everybody away', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/stream`);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'hello', ticket: 'good' }));
    await once(socket, 'message');
    const closed = once(socket, 'close');
    await face.close();
    expect((await closed)[0]).toBe(1001);
  });
});
