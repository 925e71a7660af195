import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Certificate,
  createCertificate,
  type EngineTlsFront,
  sharedEngine,
  startEngineTlsFront,
  type TestEngine,
  waitFor,
} from '@evenkeel/testbed';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type App, createApp } from '../../packages/server/src/app.ts';
import { readConfig } from '../../packages/server/src/config/index.ts';
import { silentLog } from '../../packages/server/src/platform/log/create-log.ts';

let engine: TestEngine;
let front: EngineTlsFront;
let folder: string;
let server: Certificate;
let stranger: Certificate;
let client: Certificate;
let app: App | undefined;
let started = 0;

beforeAll(async () => {
  engine = await sharedEngine();
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-tls-'));
  [server, client, stranger] = ['server', 'client', 'stranger'].map((name) => createCertificate(folder, name)) as [
    Certificate,
    Certificate,
    Certificate,
  ];
  front = await startEngineTlsFront(engine, { server, client });
});
afterEach(async () => {
  await app?.close();
  app = undefined;
});
afterAll(async () => {
  await front.stop();
  await engine.stop();
  rmSync(folder, { recursive: true });
});

/** A folder as DOCKER_CERT_PATH names one. */
function certFolder(ca: Certificate, own: Certificate): string {
  started += 1;
  const path = join(folder, `certs-${started}`);
  mkdirSync(path);
  copyFileSync(ca.certificateFile, join(path, 'ca.pem'));
  copyFileSync(own.certificateFile, join(path, 'cert.pem'));
  copyFileSync(own.keyFile, join(path, 'key.pem'));
  return path;
}

/** The server with this environment; the state of its host as soon as there is one. */
async function hostOf(environment: Record<string, string>) {
  started += 1;
  const result = readConfig({
    environment: { HOME: folder, EVENKEEL_DATA_DIR: join(folder, `data-${started}`), ...environment },
    arguments: [],
    readFile: () => '',
  });
  if (result.kind !== 'config') throw new Error(JSON.stringify(result));
  const { config } = result;
  const opened = await createApp({ config, version: '0.0.0', webFolder: join(folder, 'web'), log: silentLog() });
  app = opened;
  return waitFor(
    () => {
      const host = opened.hosts.get('local');
      return host?.state === 'connecting' ? undefined : host;
    },
    { timeoutMs: 60_000 },
  );
}

test.each([
  [
    'a folder of its own',
    () => ({ EVENKEEL_ENGINE: front.url, EVENKEEL_ENGINE_CERT_PATH: certFolder(server, client) }),
  ],
  [
    'single files',
    () => ({
      EVENKEEL_ENGINE: front.url,
      EVENKEEL_ENGINE_TLS_CA: server.certificateFile,
      EVENKEEL_ENGINE_TLS_CERT: client.certificateFile,
      EVENKEEL_ENGINE_TLS_KEY: client.keyFile,
    }),
  ],
  [
    'what Docker itself would use',
    () => ({ DOCKER_HOST: front.url, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certFolder(server, client) }),
  ],
])('an engine behind mutual TLS is managed with %s', async (_name, environment) => {
  expect(await hostOf(environment())).toMatchObject({ state: 'online', reason: null, endpoint: front.url });
});

test('an engine that another authority signed is not spoken to', async () => {
  const host = await hostOf({ EVENKEEL_ENGINE: front.url, EVENKEEL_ENGINE_CERT_PATH: certFolder(stranger, client) });
  expect(host).toMatchObject({ state: 'unreachable', engineVersion: null });
  expect(host.reason).toMatch(/^The TLS connection to tcp:\/\/127\.0\.0\.1:\d+ failed: .*certificate.*Check the CA/);
});

test('an engine that does not know our certificate shows nothing, and the reason says where to look', async () => {
  const host = await hostOf({ EVENKEEL_ENGINE: front.url, EVENKEEL_ENGINE_CERT_PATH: certFolder(server, stranger) });
  expect(host).toMatchObject({ state: 'unreachable', engineVersion: null });
  expect(host.reason).toMatch(/client certificate/);
});

test('an engine behind TLS that is spoken to without is not reached, and the reason is a sentence', async () => {
  const host = await hostOf({ EVENKEEL_ENGINE: front.url });
  expect(host).toMatchObject({ state: 'unreachable', engineVersion: null });
  expect(host.reason).toMatch(/\w{3,}.*\.$/);
});

test('an engine that cannot be reached as DOCKER_HOST names it does not keep the server from starting', async () => {
  const host = await hostOf({ DOCKER_HOST: 'ssh://me@server' });
  expect(host).toMatchObject({ state: 'unreachable', endpoint: 'ssh://me@server' });
  expect(host.reason).toContain('DOCKER_HOST is "ssh://me@server"');
  expect([...(app?.notices.collection.values() ?? [])]).toContainEqual(
    expect.objectContaining({ code: 'host_unreachable:local', remedy: host.reason }),
  );
});

test('plain text beyond loopback is refused, and where it was allowed a notice says so', async () => {
  const endpoint = 'tcp://192.0.2.1:2375';
  const refused = await hostOf({ EVENKEEL_ENGINE: endpoint });
  expect(refused.reason).toContain('EVENKEEL_ENGINE_ALLOW_PLAINTEXT=true');
  const codes = () => [...(app?.notices.collection.values() ?? [])].map(({ code }) => code);
  expect(codes()).not.toContain('engine_plaintext:local');
  await app?.close();
  const allowed = await hostOf({ EVENKEEL_ENGINE: endpoint, EVENKEEL_ENGINE_ALLOW_PLAINTEXT: 'true' });
  expect(codes()).toContain('engine_plaintext:local');
  expect(allowed.reason).not.toContain('EVENKEEL_ENGINE_ALLOW_PLAINTEXT');
});
