import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn } from './in-turn.ts';
import { findProcesses, signal } from './process.ts';
import { requireProgram } from './programs.ts';
import { type EngineRecord, readRecords, removeRecord, runtimeDirectory, tryClaimSlot } from './slot.ts';
import { waitFor } from './wait-for.ts';

/** The cgroup below which all containers of an engine live. */
export const cgroupOf = (slot: number) => `/evenkeel-${slot}`;

/**
 * Removes everything that an engine made, in whatever state it is: processes, mounts, bridges, sockets, cgroups, and its
 * directory unless the record says to keep it. Only what bears the engine's own paths and names is touched.
 */
export async function removeEngine(record: EngineRecord): Promise<void> {
  const runtime = runtimeDirectory(record.slot);
  const bridges = [record.bridge];
  await inTurn(
    () => endAllProcesses(record.slot),
    () => bridges.push(...bridgesOfNetworks(record.directory)),
    () => removeShimSockets(runtime),
    () => unmountBelow(runtime),
    () => unmountBelow(record.directory),
    () => inTurn(...bridges.map((bridge) => () => deleteInterface(bridge))),
    () => removeCgroups(record.slot),
  );
  // Only now: a record that stays lets the next start try again.
  rmSync(runtime, { recursive: true, force: true });
  if (!record.keep) rmSync(record.directory, { recursive: true, force: true });
  removeRecord(record.slot);
}

/** Removes what engines left whose owners were killed. Engines of living processes are not touched. */
export async function sweepAbandonedEngines(): Promise<void> {
  for (const record of readRecords()) {
    const slot = await tryClaimSlot(record.slot);
    if (slot === undefined) continue;
    try {
      await removeEngine(record);
    } finally {
      await slot.release();
    }
  }
}

/** A test's own process may carry the engine's paths in its arguments too; only these programs are the engine's. */
const daemonCommand = /^\S*\/(dockerd|containerd|containerd-shim\S*|runc) /;

/** SIGKILL for the daemons, the shims and every process in a container: what a power loss does to them. */
export async function endAllProcesses(slot: number): Promise<void> {
  const runtime = runtimeDirectory(slot);
  const ours = () => findProcesses((command) => command.includes(`${runtime}/`) && daemonCommand.test(command));
  await waitFor(
    () => {
      const left = [...processesInCgroups(slot), ...ours()];
      for (const pid of left) signal(pid, 'SIGKILL');
      return left.length === 0;
    },
    { describe: `the processes of engine ${slot} to end` },
  );
}

/** The engine's network database names the interface of each bridge network it made. */
function bridgesOfNetworks(directory: string): string[] {
  const database = join(directory, 'docker/network/files/local-kv.db');
  if (!existsSync(database)) return [];
  return [...new Set(readFileSync(database, 'latin1').match(/br-[0-9a-f]{12}/g) ?? [])];
}

/** Shims put their sockets into a directory shared by all engines of the machine; the address file names ours. */
function removeShimSockets(runtime: string): void {
  const tasks = join(runtime, 'containerd/io.containerd.runtime.v2.task');
  for (const path of existsSync(tasks) ? readdirSync(tasks, { recursive: true, encoding: 'utf8' }) : []) {
    if (!path.endsWith('/address')) continue;
    const address = readFileSync(join(tasks, path), 'utf8').trim();
    if (address.startsWith('unix:///run/containerd/s/')) rmSync(address.slice('unix://'.length), { force: true });
  }
}

/** Mount points at or below a directory, the deepest first. */
export function mountsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      line.split(' ')[4]?.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter(
      (point): point is string => point !== undefined && (point === directory || point.startsWith(`${directory}/`)),
    )
    .reverse();
}

function unmountBelow(directory: string): void {
  const points = mountsBelow(directory);
  // Lazily: a process of the kernel may still be letting go of a container's root.
  if (points.length > 0) execFileSync(requireProgram('umount'), ['-l', ...points], { stdio: 'pipe' });
}

function deleteInterface(name: string): void {
  if (!existsSync(`/sys/class/net/${name}`)) return;
  execFileSync(requireProgram('ip'), ['link', 'delete', name], { stdio: 'pipe' });
}

/** The engine's cgroup in each mounted hierarchy (one of version 2, several of version 1). */
function cgroupDirectories(slot: number): string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4] ?? '');
  return points.map((point) => `${point}${cgroupOf(slot)}`).filter((path) => existsSync(path));
}

function processesInCgroups(slot: number): number[] {
  const pids = cgroupDirectories(slot).flatMap((top) =>
    [top, ...directoriesBelow(top)].flatMap((directory) => {
      try {
        return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
      } catch {
        return [];
      }
    }),
  );
  return [...new Set(pids)].filter((pid) => pid > 1 && pid !== process.pid);
}

function removeCgroups(slot: number): void {
  for (const top of cgroupDirectories(slot)) {
    for (const directory of [...directoriesBelow(top).reverse(), top]) {
      try {
        rmdirSync(directory);
      } catch {
        // An ended process may hold its cgroup a moment longer; an empty cgroup is adopted by the slot's next engine.
      }
    }
  }
}

function directoriesBelow(top: string): string[] {
  try {
    return readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch {
    return [];
  }
}
