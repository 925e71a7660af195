import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDaemon } from './daemon.ts';
import { createEngineAccess, type TestEngine } from './engine-access.ts';
import { connectExistingEngine } from './existing-engine.ts';
import { inTurn } from './in-turn.ts';
import { mountInMemory } from './memory-disk.ts';
import { isStopped, signal } from './process.ts';
import { requireProgram } from './programs.ts';
import { claimSlot, type EngineRecord, writeRecord } from './slot.ts';
import { endAllProcesses, removeEngine, sweepAbandonedEngines } from './sweep.ts';
import { TestbedUnavailable } from './unavailable.ts';
import { waitFor } from './wait-for.ts';

export interface EngineOptions {
  /** Where the engine keeps its data; a fresh temporary directory, in memory if there is enough, when left out. */
  directory?: string;
  /** Keep the directory on `stop`, so that a later engine can start on it. */
  keep?: boolean;
  /** Slot to take when it is free; decides the address ranges. */
  slot?: number;
  /** Name of the default bridge's interface, at most 15 characters; derived from the slot when left out. */
  bridge?: string;
  /** API version that `cli` speaks (DOCKER_API_VERSION); negotiated when left out. */
  clientApiVersion?: string;
}

/**
 * Starts a private engine: own dockerd and containerd, data, sockets, bridge, cgroup and address ranges, so that several
 * run beside each other and beside an existing Docker. What killed runs left behind is removed first.
 * Throws TestbedUnavailable where no private engine is possible.
 */
export async function startEngine(options: EngineOptions = {}): Promise<TestEngine> {
  const existing = process.env['EVENKEEL_TEST_ENGINE'];
  if (existing !== undefined && existing !== '' && options.directory === undefined) {
    return connectExistingEngine(existing, options.clientApiVersion);
  }
  requirePrivateEngine();
  await sweepAbandonedEngines();
  const slot = await claimSlot(options.slot);
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'evenkeel-engine-'));
  const bridge = options.bridge ?? `evenkeel${slot.number}`;
  const record: EngineRecord = { slot: slot.number, directory, bridge, keep: options.keep ?? false };
  writeRecord(record);

  const remove = () =>
    inTurn(
      () => removeEngine(record),
      () => slot.release(),
    );

  try {
    if (options.directory === undefined) mountInMemory(directory);
    const daemon = createDaemon({ directory, slot, bridge });
    await daemon.start();
    const { socketPath } = daemon;
    return {
      ...createEngineAccess(socketPath, join(slot.runtime, 'cli'), options.clientApiVersion),
      private: true,
      slot: slot.number,
      kill: () => daemon.end('SIGKILL'),
      killEverything: () => endAllProcesses(slot.number),
      terminate: () => daemon.end('SIGTERM'),
      async pause() {
        const pid = signalDaemon(daemon.pid(), 'SIGSTOP');
        await waitFor(() => isStopped(pid), { describe: 'dockerd to stand still' });
      },
      resume() {
        signalDaemon(daemon.pid(), 'SIGCONT');
      },
      start: () => daemon.start(),
      async restart() {
        await daemon.end('SIGTERM');
        await daemon.start();
      },
      async stop() {
        // What is kept ends in order. Should that fail, the rest is killed as at any other stop.
        const orderly = record.keep ? [() => daemon.end('SIGTERM'), () => daemon.endContainerd()] : [];
        await inTurn(...orderly, remove);
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Throws TestbedUnavailable, with the reason as a sentence, where a private engine cannot run. */
export function requirePrivateEngine(): void {
  if (process.platform !== 'linux') {
    throw new TestbedUnavailable(`A private engine needs Linux; this is ${process.platform}.`);
  }
  if (process.getuid?.() !== 0) {
    throw new TestbedUnavailable(
      'A private engine needs root. Run as root, or name an engine to use with EVENKEEL_TEST_ENGINE=unix:///var/run/docker.sock.',
    );
  }
  for (const program of ['dockerd', 'containerd', 'docker', 'ip', 'mount', 'umount', 'busybox'] as const)
    requireProgram(program);
}

function signalDaemon(pid: number | undefined, name: NodeJS.Signals): number {
  if (pid === undefined) throw new Error('The engine is not running.');
  signal(pid, name);
  return pid;
}
