import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedDemo } from './demo-seed.ts';
import { startEngine } from './engine.ts';
import type { TestEngine } from './engine-access.ts';
import { inTurn } from './in-turn.ts';
import { startRegistry, type TestRegistry } from './registry.ts';

export interface DemoOptions {
  /** Where engine and registry keep their data between two starts. */
  directory: string;
  /** Told what is going on, one sentence at a time. */
  report?: (sentence: string) => void;
  /** Ends the start between two steps: what was started is stopped, and the signal's reason is thrown. */
  signal?: AbortSignal;
}

export interface Demo {
  engine: TestEngine;
  registry: TestRegistry;
  /** Stops everything and keeps the data: no process, mount or bridge is left. */
  stop(): Promise<void>;
}

/** What must be the same at the next start. */
interface DemoState {
  /** References of containers name the registry with its port. */
  registryPort: number;
  /** Networks keep the addresses of the slot that they were made in. */
  slot: number;
  /** Containers that ran at the end; the engine does not bring all of them back by itself. */
  running: string[];
}

/**
 * Starts a private engine and a private registry with a small stack of containers, of which several have newer images.
 * The first start makes them, later ones find them as they were left. A first start that was cut short is made anew.
 */
export async function startDemo({
  directory,
  report = () => {},
  signal = new AbortController().signal,
}: DemoOptions): Promise<Demo> {
  const stateFile = join(directory, 'demo.json');
  const known = readState(stateFile);
  const engineDirectory = join(directory, 'engine');
  const registryDirectory = join(directory, 'registry');
  if (known === undefined) {
    for (const leftover of [engineDirectory, registryDirectory]) rmSync(leftover, { recursive: true, force: true });
  }
  mkdirSync(directory, { recursive: true });

  report('Starting a private Docker Engine and a private registry');
  const registry = await startDemoRegistry(registryDirectory, known?.registryPort);
  let engine: TestEngine | undefined;
  try {
    signal.throwIfAborted();
    engine = await startEngine({
      directory: engineDirectory,
      keep: true,
      ...(known === undefined ? {} : { slot: known.slot }),
    });
    signal.throwIfAborted();
    if (known === undefined) {
      report('Making images, pushing them and starting containers; this is done once');
      await seedDemo({ engine, registry, directory, signal });
    } else {
      await startAgain(engine, known.running);
    }
    const state = { registryPort: Number(new URL(registry.url).port), slot: engine.slot };
    writeState(stateFile, { ...state, running: await runningNames(engine) });
    return { engine, registry, stop: () => stopDemo(stateFile, state, engine as TestEngine, registry) };
  } catch (error) {
    await inTurn(
      () => engine?.stop(),
      () => registry.stop(),
    );
    throw error;
  }
}

async function stopDemo(file: string, state: Omit<DemoState, 'running'>, engine: TestEngine, registry: TestRegistry) {
  await inTurn(
    async () => writeState(file, { ...state, running: await runningNames(engine) }),
    () => engine.stop(),
    () => registry.stop(),
  );
}

/** Below the range that the system hands out for connections, so that the port is free again at the next start. */
const registryPorts = Array.from({ length: 20 }, (_, index) => 5055 + index);

async function startDemoRegistry(directory: string, known: number | undefined): Promise<TestRegistry> {
  let cause: unknown;
  for (const port of known === undefined ? registryPorts : [known]) {
    try {
      return await startRegistry({ directory, port });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      cause = error;
    }
  }
  const ports = known ?? `${registryPorts[0]} to ${registryPorts.at(-1)}`;
  throw new Error(`Port ${ports} of the demo's registry is in use, perhaps by another demo. End that program first.`, {
    cause,
  });
}

async function runningNames(engine: TestEngine): Promise<string[]> {
  return (await engine.docker('ps', '--format', '{{.Names}}')).split('\n').filter(Boolean);
}

/** Owners of a shared network come before those who share it, hence the second round. */
async function startAgain(engine: TestEngine, names: readonly string[]): Promise<void> {
  const start = (name: string) => engine.request('POST', `/containers/${name}/start`);
  const first = await Promise.all(names.map(async (name) => ({ name, ...(await start(name)) })));
  for (const { name, status } of first) if (status >= 400 && status !== 404) await start(name);
}

function readState(file: string): DemoState | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as DemoState) : undefined;
}

/** Written beside and renamed, so that a kill leaves the old one or the new one. */
function writeState(file: string, state: DemoState): void {
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}
