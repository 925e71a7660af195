import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngineAccess, type TestEngine } from './engine-access.ts';
import { connectRegistry, type TestRegistry } from './registry.ts';
import { TestbedUnavailable } from './unavailable.ts';

/** What the global set-up hands to the test files: plain data, since it crosses processes. */
export interface SharedParts {
  socketPath: string;
  slot: number;
  /** The registry itself; each file puts a counting proxy of its own in front. */
  registryUrl: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    testbed: SharedParts | { unavailable: string };
  }
}

/**
 * The engine that all files of a vitest project share. Name what you make with `uniqueName`, remove it yourself, and
 * start an engine of your own (`startEngine`) to kill or restart one. `stop` here only forgets the connection.
 */
export async function sharedEngine(): Promise<TestEngine> {
  const { socketPath, slot } = await sharedParts();
  const configDirectory = mkdtempSync(join(tmpdir(), 'evenkeel-cli-'));
  const refuse = () => {
    throw new Error('Other test files use this engine at the same time; start one with startEngine() to kill it.');
  };
  const refuseLater = async () => refuse();
  return {
    ...createEngineAccess(socketPath, configDirectory, undefined),
    private: false,
    slot,
    kill: refuseLater,
    killEverything: refuseLater,
    terminate: refuseLater,
    start: refuseLater,
    restart: refuseLater,
    pause: refuseLater,
    resume: refuse,
    stop: async () => rmSync(configDirectory, { recursive: true, force: true }),
  };
}

/**
 * The registry that all files of a vitest project share, without authentication, behind a proxy of this file: counts and
 * faults are this file's alone. Name repositories with `uniqueName`; `stop` ends the proxy.
 */
export async function sharedRegistry(): Promise<TestRegistry> {
  return connectRegistry((await sharedParts()).registryUrl);
}

async function sharedParts(): Promise<SharedParts> {
  const { inject } = await import('vitest');
  const parts = inject('testbed');
  if ('unavailable' in parts) throw new TestbedUnavailable(parts.unavailable);
  return parts;
}
