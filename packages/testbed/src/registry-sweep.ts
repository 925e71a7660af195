import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine, endProcess, findProcesses, startTime } from './process.ts';

/** Who started a registry, beside its configuration. The start time tells a process from a later one with the same id. */
interface RegistryOwner {
  pid: number;
  started: string;
  /** Remove the directory with the registry. */
  temporary: boolean;
}

/** Writes down that this process owns the registry of the directory. */
export function ownRegistry(directory: string, temporary: boolean): void {
  const owner: RegistryOwner = { pid: process.pid, started: startTime(process.pid) ?? '', temporary };
  writeFileSync(join(directory, 'owner.json'), JSON.stringify(owner));
}

/** Ends registries of ours whose owner was killed. One without our note beside its configuration is not touched. */
export async function sweepAbandonedRegistries(): Promise<void> {
  for (const pid of findProcesses((command) => registryDirectory(command) !== undefined)) {
    const directory = registryDirectory(commandLine(pid));
    const note = directory === undefined ? undefined : join(directory, 'owner.json');
    if (directory === undefined || note === undefined || !existsSync(note)) continue;
    const owner = JSON.parse(readFileSync(note, 'utf8')) as RegistryOwner;
    if (startTime(owner.pid) === owner.started) continue;
    await endProcess(pid, 'SIGKILL');
    if (owner.temporary) rmSync(directory, { recursive: true, force: true });
  }
}

function registryDirectory(command: string): string | undefined {
  return /^\S*docker-registry serve (\/.+)\/config\.yml$/.exec(command)?.[1];
}
