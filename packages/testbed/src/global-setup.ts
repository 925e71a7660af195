import type { TestProject } from 'vitest/node';
import { startEngine } from './engine.ts';
import { inTurn } from './in-turn.ts';
import { startRegistry } from './registry.ts';
import type { SharedParts } from './shared.ts';
import { TestbedUnavailable } from './unavailable.ts';

/**
 * Vitest's global set-up of the projects that need the real thing: starts one engine and one registry for all files of
 * the project. Where that is impossible the files get the reason and fail with it; `./test` says it before and skips.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  try {
    const engine = await startEngine();
    const registry = await startRegistry();
    const parts: SharedParts = { socketPath: engine.socketPath, slot: engine.slot, registryUrl: registry.direct.url };
    project.provide('testbed', parts);
    return () =>
      inTurn(
        () => registry.stop(),
        () => engine.stop(),
      );
  } catch (error) {
    if (!(error instanceof TestbedUnavailable)) throw error;
    project.provide('testbed', { unavailable: error.message });
    return async () => {};
  }
}
