import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, createApp, runHelper } from './app.ts';
import { type Config, helpText, processSurroundings, readConfig, type Surroundings } from './config/index.ts';
import { describeError, Fault } from './platform/fault.ts';
import { createLog } from './platform/log/create-log.ts';
import type { Log } from './platform/log/log.ts';
import { takeOverCommand } from './runs/index.ts';

/**
 * How long a stop may take; whatever is at work then is finished by recovery at the next start. Shorter than `stop_grace_period`
 * in compose.yaml, so that the end is ours and not a kill.
 */
const longestStopMilliseconds = 25_000;

// What is written holds secrets and who did what: nobody else on the machine reads it.
process.umask(0o077);
await main();

/** Parses, builds, listens, and disposes in reverse order when it is told to stop. */
async function main(): Promise<void> {
  const { run, surroundings } = withoutTask(processSurroundings());
  const result = readConfig(surroundings);
  if (result.kind === 'help') {
    process.stdout.write(helpText());
    return;
  }
  if (result.kind === 'wrong') {
    for (const problem of result.problems) console.error(`Evenkeel cannot start: ${problem}.`);
    process.exitCode = 1;
    return;
  }
  const { config } = result;
  const log = createLog({ level: config.logLevel });
  for (const warning of result.warnings) console.error(`Warning: ${warning}.`);
  if (run !== undefined) {
    await help(config, log, run);
    return;
  }
  const app = await start(config, log);
  if (app !== undefined) stopOnSignals(app, log);
}

/** A helper is started by an instance that updates itself, with the run as its last argument: `take-over <run>`. */
function withoutTask(surroundings: Surroundings): { run: string | undefined; surroundings: Surroundings } {
  const { arguments: given } = surroundings;
  const run = given.at(-2) === takeOverCommand ? given.at(-1) : undefined;
  return { run, surroundings: run === undefined ? surroundings : { ...surroundings, arguments: given.slice(0, -2) } };
}

async function help(config: Config, log: Log, run: string): Promise<void> {
  const end = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end.abort());
  await runHelper({ config, log }, run, end.signal);
  process.exit(0);
}

/** Undefined when it cannot start; the reason has been said then. */
async function start(config: Config, log: Log): Promise<App | undefined> {
  let app: App | undefined;
  try {
    app = await createApp({
      config,
      version: versionOf(),
      webFolder: join(import.meta.dirname, '../../web/dist'),
      log,
    });
    const port = await app.listen();
    greet(config, port, app);
    return app;
  } catch (error) {
    console.error(`Evenkeel cannot start: ${reasonOf(error, config)}`);
    if (!(error instanceof Fault) && !hasCode(error)) log.fatal({ err: error }, 'the start failed');
    process.exitCode = 1;
    await app?.close();
    return undefined;
  }
}

function greet(config: Config, port: number, app: App): void {
  const url = `http://${printable(config.host)}:${port}`;
  console.log(`Evenkeel listens on ${url}`);
  for (const notice of app.notices.collection.values()) {
    if (notice.severity !== 'info') console.log(`${notice.text} ${notice.remedy ?? ''}`.trimEnd());
  }
  if (app.setupToken === undefined) return;
  console.log(
    [
      '',
      'First run: open the page and create the owner with this one-time token, within 15 minutes.',
      `  Page:  ${url}`,
      `  Token: ${app.setupToken}`,
      '',
    ].join('\n'),
  );
}

/** An address that can be opened here: a server on all addresses is also on the loopback. */
function printable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function stopOnSignals(app: App, log: Log): void {
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    // Work that does not let go in time is left to recovery: the journal knows how far it came.
    setTimeout(() => {
      log.error({}, 'the stop took too long; what was at work is finished at the next start');
      process.exit(1);
    }, longestStopMilliseconds).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
}

function reasonOf(error: unknown, { host, port }: Config): string {
  if (hasCode(error)) {
    if (error.code === 'EADDRINUSE')
      return `port ${port} on ${host} is taken by another program. End it, or choose another port with EVENKEEL_PORT.`;
    if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
      return `this machine does not have the address ${host}. Choose another one with EVENKEEL_HOST.`;
    if (error.code === 'EACCES')
      return `port ${port} may not be used by this user. Choose one above 1023 with EVENKEEL_PORT.`;
  }
  return describeError(error);
}

function hasCode(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code);
}

function versionOf(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '0.0.0';
}
