import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestEngine } from './engine-access.ts';
import { existingEngineSlot, runtimeRoot } from './slot.ts';

/** A range that no other network of the engine has: 10.X.Y.0/24, for networks with static addresses. */
export interface Subnet {
  /** "10.200.7.0/24", for `docker network create --subnet`. */
  cidr: string;
  /** An address of it: `address(10)` is "10.200.7.10". 1 is the gateway. */
  address(host: number): string;
}

/**
 * Takes the next free range of a private engine's own block. Ranges are not given back before the engine ends: there are
 * 126 of them.
 */
export function reserveSubnet(engine: Pick<TestEngine, 'slot'>): Subnet {
  const base = engine.slot === existingEngineSlot ? join(tmpdir(), 'evenkeel-testbed') : runtimeRoot;
  const taken = join(base, String(engine.slot), 'subnets');
  mkdirSync(taken, { recursive: true });
  for (let third = 1; third < 127; third += 1) {
    try {
      // Test files run in processes of their own; making a directory is what only one of them can do.
      mkdirSync(join(taken, String(third)));
      return {
        cidr: `10.${192 + engine.slot}.${third}.0/24`,
        address: (host) => `10.${192 + engine.slot}.${third}.${host}`,
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(`Engine ${engine.slot} has no address range left.`);
}
