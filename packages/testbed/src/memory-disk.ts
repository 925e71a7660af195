import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { requireProgram } from './programs.ts';

/** What must be available, in bytes: the largest test puts about a fifth of it on the disk. */
const enough = 4 * 2 ** 30;

/**
 * Puts an empty directory into memory when there is plenty. The engine waits for the disk dozens of times at each start of
 * a container, and what a test leaves need not outlast the machine. It goes with the engine's other mounts.
 */
export function mountInMemory(directory: string): void {
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024;
  if (available < enough) return;
  execFileSync(requireProgram('mount'), ['-t', 'tmpfs', '-o', 'mode=711', 'evenkeel-testbed', directory], {
    stdio: 'pipe',
  });
}
