import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { waitFor } from './wait-for.ts';

/** True when a process with this id exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

/** When a process started, in the kernel's ticks; undefined when there is no such process. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The 22nd field of all, the 20th after the name in parentheses (proc(5)).
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** True when every thread of a process is stopped: a signal stops them one after the other. */
export function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  });
}

/** The command line of a process with its arguments joined by spaces; '' when there is no such process. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/** Ids of all processes whose command line satisfies the test; our own process is never among them. */
export function findProcesses(test: (command: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && test(commandLine(pid)));
}

/** Sends a signal; false when the process is gone already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal and waits until the process has ended. A process that is gone already is fine. */
export async function endProcess(pid: number, name: NodeJS.Signals, timeoutMs = 30_000): Promise<void> {
  if (!signal(pid, name)) return;
  await waitFor(() => !isAlive(pid), { timeoutMs, describe: `process ${pid} to end after ${name}` });
}

/**
 * Starts a program in a session of its own, so that Ctrl-C in a terminal reaches us and not the program. Standard output
 * and error are appended to the log file. The program does not keep our event loop alive.
 */
export function startProcess(program: string, parameters: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'a');
  try {
    const child = spawn(program, parameters, { detached: true, stdio: ['ignore', log, log] });
    child.on('error', () => {});
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}
