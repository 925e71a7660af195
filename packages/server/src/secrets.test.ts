import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Registry, type RouteSpec, routes, type Session } from '@evenkeel/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, createApp } from './app.ts';
import { readConfig } from './config/index.ts';
import { createLog } from './platform/log/create-log.ts';

/** What nobody may find where it does not belong, each recognisable by its name. */
const secrets = {
  password: 'canary password of the owner',
  nextPassword: 'canary password after the change',
  wrongPassword: 'canary password that was wrong',
  registryPassword: 'canary-password-of-the-registry',
  setupToken: 'canary-token-of-the-first-run',
  metricsToken: 'canary-token-of-prometheus',
};

let folder: string;
let app: App;
const log: string[] = [];
/** Bodies of answers that hand out nothing. */
const answers: string[] = [];
/** Tokens that were handed out. */
const tokens: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-secrets-'));
  const result = readConfig({
    environment: {
      HOME: folder,
      EVENKEEL_DATA_DIR: join(folder, 'data'),
      EVENKEEL_ENGINE: `unix://${folder}/no-engine.sock`,
      EVENKEEL_SETUP_TOKEN: secrets.setupToken,
      EVENKEEL_METRICS_TOKEN: secrets.metricsToken,
    },
    arguments: [],
    readFile: () => '',
  });
  if (result.kind !== 'config') throw new Error('the configuration is wrong');
  app = await createApp({
    config: result.config,
    version: '0.0.0',
    webFolder: join(folder, 'web'),
    log: createLog({ level: 'trace', destination: { write: (line: string) => void log.push(line) } }),
    checkAnswers: true,
  });
  await drive();
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

async function ask(route: RouteSpec, body?: unknown, options: { token?: string; id?: string; query?: string } = {}) {
  const { token, id = 'unknown', query = '' } = options;
  return app.face.app.inject({
    method: route.method,
    url: route.path.replaceAll(/:\w+/g, id) + query,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { payload: body as object }),
  });
}

/** Uses everything that takes or gives a secret, rightly and wrongly, then every route there is. */
async function drive(): Promise<void> {
  const quietly = async (...asked: Parameters<typeof ask>) => {
    const answer = await ask(...asked);
    answers.push(`${JSON.stringify(answer.headers)} ${answer.body}`);
    return answer;
  };
  const opened = async (answer: Awaited<ReturnType<typeof ask>>) => {
    expect(answer.statusCode, answer.body).toBeLessThan(300);
    const { accessToken, refreshToken = '' } = answer.json<Session>();
    tokens.push(accessToken, refreshToken);
    return { accessToken, refreshToken };
  };
  const { password, nextPassword, wrongPassword, registryPassword, setupToken, metricsToken } = secrets;
  await quietly(routes.setup, { token: `${setupToken}x`, username: 'anna', password });
  const owner = { token: setupToken, username: 'anna', password, kind: 'bearer' };
  const first = await opened(await ask(routes.setup, owner));
  await quietly(routes.login, { username: 'anna', password: wrongPassword });
  await quietly(routes.login, { username: wrongPassword, password: wrongPassword });
  await quietly(routes.login, { username: { password: wrongPassword } });
  const { accessToken: token } = await opened(await ask(routes.refresh, { refreshToken: first.refreshToken }));
  const ticket = (await ask(routes.streamTicket, {}, { token })).json<{ ticket: string }>().ticket;
  tokens.push(ticket);
  await quietly(routes.session, undefined, { token, query: `?token=${token}` });
  await app.face.app.inject({ url: '/metrics', headers: { authorization: `Bearer ${metricsToken}` } });
  await app.face.app.inject({ url: '/metrics', headers: { authorization: `Bearer ${metricsToken}x` } });

  const registry = createServer((_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  const host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  const stored = await quietly(
    routes.addRegistry,
    { host, username: 'u', password: registryPassword, insecure: true },
    { token },
  );
  const { id } = stored.json<Registry>();
  await quietly(routes.changeRegistry, { password: `${registryPassword}-2` }, { token, id });
  await quietly(routes.testRegistry, undefined, { token, id });
  registry.close();

  for (const route of Object.values<RouteSpec>(routes)) {
    if (route.id === 'logout' || route.id === 'changePassword' || route.id === 'streamTicket') continue;
    await quietly(route, route.body && { password: wrongPassword, gateSeconds: registryPassword }, { token, id });
    await quietly(route, route.body && {}, { token });
  }
  const change = { currentPassword: password, newPassword: nextPassword };
  await quietly(routes.changePassword, { ...change, currentPassword: wrongPassword }, { token });
  expect((await quietly(routes.changePassword, change, { token })).statusCode).toBe(204);
  await opened(await ask(routes.login, { username: 'anna', password: nextPassword, kind: 'bearer' }));
}

describe('secrets', () => {
  const all = () => [...Object.values(secrets), ...tokens].filter((secret) => secret !== '');
  const found = (text: string) =>
    all().filter((secret) =>
      [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)].some((form) =>
        text.includes(form),
      ),
    );

  test('are in no answer but the one that hands them out', () => {
    expect(answers.length).toBeGreaterThan(60);
    for (const answer of answers) expect(found(answer), answer).toEqual([]);
  });

  test('are in no line of the log, at its finest level', () => {
    expect(log.length).toBeGreaterThan(60);
    for (const line of log) expect(found(line), line).toEqual([]);
  });

  test('are in no file of the data folder; what is stored can be found by its name only', () => {
    const files = readdirSync(join(folder, 'data'));
    expect(files).toContain('evenkeel.db');
    for (const name of files) expect(found(readFileSync(join(folder, 'data', name), 'latin1')), name).toEqual([]);
    const all = files.map((name) => readFileSync(join(folder, 'data', name), 'latin1')).join('');
    expect(all).toContain('anna');
    expect(all).toContain('127.0.0.1:');
  });
});
