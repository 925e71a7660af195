import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** Runtime state of all private engines of this machine: sockets, process ids, and one record for each engine. */
export const runtimeRoot = '/run/evenkeel-testbed';

/** Slots 0 to 62 own the networks 10.192.0.0/16 to 10.254.0.0/16, so that engines never share an address range. */
const slotCount = 63;

/** Stands for an engine that is not ours; its tests use 10.255.0.0/16. */
export const existingEngineSlot = slotCount;

/** What an engine made outside its own directory; enough to remove it by exact name after its owner was killed. */
export interface EngineRecord {
  slot: number;
  /** Data of the engine. */
  directory: string;
  /** The default bridge's interface. */
  bridge: string;
  /** Keep the directory when the engine ends: the demo starts on it again. */
  keep: boolean;
}

/** A claimed slot. The claim lives as long as this process, however it ends. */
export interface Slot {
  number: number;
  /** Directory for sockets and runtime state, short enough for socket paths. */
  runtime: string;
  release(): Promise<void>;
}

/** Where the record of a slot stands. */
const recordPath = (slot: number) => join(runtimeRoot, `${slot}.json`);

/** The runtime directory of a slot. */
export const runtimeDirectory = (slot: number) => join(runtimeRoot, String(slot));

/** Writes down what an engine is about to make. */
export function writeRecord(record: EngineRecord): void {
  mkdirSync(runtimeRoot, { recursive: true });
  writeFileSync(recordPath(record.slot), JSON.stringify(record));
}

/** Forgets an engine after everything of it has been removed. */
export function removeRecord(slot: number): void {
  rmSync(recordPath(slot), { force: true });
}

/** All engines on record, running ones and those whose owner was killed. */
export function readRecords(): EngineRecord[] {
  let entries: string[];
  try {
    entries = readdirSync(runtimeRoot);
  } catch {
    return [];
  }
  return entries.filter((entry) => /^\d+\.json$/.test(entry)).flatMap((entry) => readRecord(join(runtimeRoot, entry)));
}

function readRecord(path: string): EngineRecord[] {
  try {
    return [JSON.parse(readFileSync(path, 'utf8')) as EngineRecord];
  } catch {
    return [];
  }
}

/**
 * Claims the preferred slot, else any free one. The claim is an abstract Unix socket: the kernel gives it back when the
 * process ends, even by SIGKILL, so there is no stale lock.
 */
export async function claimSlot(preferred?: number): Promise<Slot> {
  // Starting at random spreads engines that start at the same time over the slots.
  const first = Math.floor(Math.random() * slotCount);
  const order = Array.from({ length: slotCount }, (_, index) => (first + index) % slotCount);
  for (const number of preferred === undefined ? order : [preferred, ...order]) {
    const slot = await tryClaimSlot(number);
    if (slot !== undefined) return slot;
  }
  throw new Error(`All ${slotCount} slots for private engines are in use on this machine.`);
}

/** Claims one slot; undefined when a living process has it. */
export async function tryClaimSlot(number: number): Promise<Slot | undefined> {
  const server = await listenOnAbstractSocket(`evenkeel-testbed-engine-${number}`);
  if (server === undefined) return undefined;
  return {
    number,
    runtime: runtimeDirectory(number),
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function listenOnAbstractSocket(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(`\0${name}`, () => resolve(server));
  });
}
