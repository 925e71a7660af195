import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Host } from '@evenkeel/contract';
import { accountsMigrations, createAccounts, registerAccountRoutes, sessionCookie } from './accounts/index.ts';
import { type Config, type EngineAccess, engineAccess } from './config/index.ts';
import { createContainers, createLogFollower, ownContainerId, registerContainerRoutes } from './containers/index.ts';
import { type ConfiguredHost, createHosts, registerHostRoutes } from './hosts/index.ts';
import { createOperations, operationsMigrations, registerOperationRoutes } from './operations/index.ts';
import type { LiveCollection } from './platform/bus/live-collection.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { knownKeyId, rememberKeyId, sealingKeyMigrations } from './platform/crypto/key-store.ts';
import { createSealer, type Sealer } from './platform/crypto/sealer.ts';
import { createEngine, type EngineObserver } from './platform/engine/create-engine.ts';
import { createHttpFace, type HttpFace } from './platform/http/http-face.ts';
import type { Log } from './platform/log/log.ts';
import { type DataFolder, openDataFolder } from './platform/store/data-folder.ts';
import { createRegistries, registerRegistryRoutes, registriesMigrations } from './registries/index.ts';
import { createRuns, registerRunRoutes, runsMigrations, takeOver } from './runs/index.ts';
import { createSettings, registerSettingsRoutes, settingsMigrations } from './settings/index.ts';
import {
  createMetrics,
  createNotices,
  type Notices,
  registerSystemRoutes,
  watchHosts,
  watchWriting,
} from './system/index.ts';
import { createUpdates, registerUpdateRoutes, updatesMigrations } from './updates/index.ts';

export interface AppOptions {
  readonly config: Config;
  readonly version: string;
  /** The built web application; it may be missing. */
  readonly webFolder: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** Check each answer against its schema: in tests. */
  readonly checkAnswers?: boolean;
  /** For the kill matrix: called around each journal record, and around each call that changes an engine. */
  readonly failpoint?: (point: string) => void;
  readonly observeEngine?: EngineObserver;
}

/** The whole server, wired. It works from its creation on; `listen` lets others in. */
export interface App {
  readonly face: HttpFace;
  /** The one-time token of the first run; undefined once there is an owner. */
  readonly setupToken: string | undefined;
  readonly notices: Notices;
  readonly hosts: LiveCollection<Host>;
  /** Binds the configured address; the port that was taken. */
  listen(): Promise<number>;
  /** Lets no more in, drains what is at work, and closes everything in the reverse order. */
  close(): Promise<void>;
}

const migrations = {
  ...sealingKeyMigrations,
  ...settingsMigrations,
  ...operationsMigrations,
  ...accountsMigrations,
  ...registriesMigrations,
  ...updatesMigrations,
  ...runsMigrations,
};

/**
 * The only place where parts meet. Throws `conflict` when another server uses the data folder, and `bad_input` for a
 * configuration that cannot be followed; what was opened until then is closed again.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    return await wire(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function wire(
  { config, log, version, clock = systemClock, ...options }: AppOptions,
  closers: (() => Promise<void> | void)[],
  close: () => Promise<void>,
): Promise<App> {
  const data = await openDataFolder(config.dataDir, migrations);
  closers.push(data.close);
  const { store } = data;
  const sealer = openSealer(config, data);
  const notices = createNotices();
  const access = engineAccess(config, { exists: existsSync, read: (path) => readFileSync(path, 'utf8') });
  noticeStart(notices, { config, data, sealer, access });
  closers.push(watchWriting(store.writing, notices));

  const settings = createSettings({ store, log });
  const operations = createOperations({ store, clock, log });
  const hosts = createHosts({
    configured: [localHost(access)],
    engineFor: () => createEngine({ ...access, log, ...(options.observeEngine && { observe: options.observeEngine }) }),
    clock,
    log,
  });
  closers.push(() => hosts.close(), watchHosts(hosts.collection, notices));
  const containers = createContainers({ hosts });
  const registries = createRegistries({
    store,
    sealer,
    clock,
    log,
    random: Math.random,
    insecureHosts: config.insecureRegistries,
    dockerConfigFile: config.dockerConfig,
  });
  closers.push(() => registries.close());
  const updates = createUpdates({ hosts, containers, registries, store, settings, operations, clock, log });
  const runs = createRuns({
    ...{ hosts, containers, updates, registries, store, sealer, settings, operations, clock, log },
    home: { dataDir: resolve(config.dataDir), keyFile: config.keyFile && resolve(config.keyFile) },
    ...(options.failpoint && { failpoint: options.failpoint }),
  });
  // Runs have taken up theirs by now; what nobody took up is over.
  operations.abandonRest();
  const closeWork = once(async () => {
    await updates.close();
    await operations.close();
  });
  closers.push(closeWork);

  const accounts = createAccounts({ store, sealer, clock, log, setupToken: config.setupToken });
  closers.push(accounts.onAlarm((notice) => notices.set(notice)));
  if (config.owner !== undefined) await accounts.ensureOwner(config.owner);

  const collections = {
    hosts: hosts.collection,
    containers: containers.collection,
    updates: updates.collection,
    runs: runs.collection,
    operations: operations.collection,
    notices: notices.collection,
  };
  const metrics = createMetrics({
    ...collections,
    registries: () =>
      new Map(registries.client.counters().map(({ host }) => [host, registries.client.health(host)] as const)),
    streamConnections: () => face.stream.connections,
  });
  const face: HttpFace = await createHttpFace({
    log,
    version,
    hostNames: [config.host, hostname(), `${hostname()}.local`, ...config.allowedHosts],
    trustedProxies: config.trustedProxies,
    sessionCookie,
    authenticate: accounts.authenticate,
    redeemTicket: accounts.redeemTicket,
    onSessionEnd: accounts.onSessionEnd,
    sessionInForce: accounts.inForce,
    collections,
    followLogs: createLogFollower({ hosts, containers, clock }),
    metrics: { ...metrics, token: config.metricsToken },
    observe: metrics.observeAnswer,
    webFolder: options.webFolder,
    checkAnswers: options.checkAnswers ?? false,
    reportFault: store.writing.report,
    readOnly: () => store.readOnly,
  });
  // Work and streams are told to stop while the last answers are on their way: none of them waits for another.
  closers.push(async () => {
    await Promise.all([face.close(), closeWork()]);
  });

  const { router } = face;
  const readOnly = () => store.readOnly || store.writing.trouble !== undefined;
  registerSystemRoutes(router, { version, build: face.build, readOnly, notices });
  registerAccountRoutes(router, accounts);
  registerSettingsRoutes(router, settings);
  registerOperationRoutes(router, operations);
  registerHostRoutes(router, hosts);
  registerContainerRoutes(router, { hosts, containers, operations, store });
  registerRegistryRoutes(router, registries);
  registerUpdateRoutes(router, { updates, containers });
  registerRunRoutes(router, runs);
  return {
    face,
    setupToken: accounts.setupNeeded() ? accounts.setupToken : undefined,
    notices,
    hosts: hosts.collection,
    listen: () => face.listen(config),
    close,
  };
}

/**
 * Replaces the container of another instance, which handed its run over to us. Opens nothing of its data but what it left for us, so
 * that this and the next one can run. Ends with the signal.
 */
export async function runHelper(
  { config, log }: Pick<AppOptions, 'config' | 'log'>,
  run: string,
  signal: AbortSignal,
): Promise<void> {
  const access = engineAccess(config, { exists: existsSync, read: (path) => readFileSync(path, 'utf8') });
  const clock = systemClock;
  const hosts = createHosts({
    configured: [localHost(access)],
    engineFor: () => createEngine({ ...access, log }),
    clock,
    log,
  });
  try {
    const dataDir = resolve(config.dataDir);
    await takeOver({ hosts, clock, log, self: ownContainerId(), dataDir, run }, signal);
  } finally {
    await hosts.close();
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

/** A key is made only while nothing has been sealed: a database that has lost its key is never given another one silently. */
function openSealer(config: Config, { path, store, fresh }: DataFolder): Sealer {
  const expectedKeyId = knownKeyId(store);
  const sealer = createSealer({
    keyFile: config.keyFile ?? join(path, 'master.key'),
    create: fresh || (expectedKeyId === undefined && !store.readOnly),
    expectedKeyId,
  });
  if (sealer.keyId !== undefined && sealer.keyId !== expectedKeyId && !store.readOnly)
    rememberKeyId(store, sealer.keyId);
  return sealer;
}

/** The one engine of this version. Where none was found, the usual place is watched, for it may come later. */
function localHost({ endpoint, hint }: EngineAccess): ConfiguredHost {
  return { id: 'local', name: 'local', endpoint, ...(hint === undefined ? {} : { hint }) };
}

function noticeStart(
  notices: Notices,
  parts: { config: Config; data: DataFolder; sealer: Sealer; access: EngineAccess },
): void {
  const { config, data, sealer, access } = parts;
  if (data.notice !== undefined) notices.set(data.notice);
  if (sealer.locked !== undefined) {
    notices.set({
      code: 'secrets_locked',
      severity: 'error',
      text: sealer.locked,
      remedy: 'Stored passwords of registries are not used until then, and no update runs.',
    });
  }
  if (access.plaintext) {
    notices.set({
      code: 'engine_plaintext:local',
      severity: 'info',
      text: `The Docker Engine "local" at ${access.endpoint} is spoken to without encryption: whoever shares the network can take over its host.`,
      remedy:
        'Set EVENKEEL_ENGINE_CERT_PATH to the folder with its ca.pem, cert.pem and key.pem, unless only trusted machines share that network.',
    });
  }
  const onlyHere = /^(127\.|localhost$|::1$)/.test(config.host);
  if (!onlyHere && config.trustedProxies.length === 0) {
    notices.set({
      code: 'not_encrypted',
      severity: 'info',
      text: `Evenkeel listens on ${config.host} without encryption: whoever shares the network can read what you do.`,
      remedy: 'Put a reverse proxy with TLS in front and name it in EVENKEEL_TRUSTED_PROXIES.',
    });
  }
}
