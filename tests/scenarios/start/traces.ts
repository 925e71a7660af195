import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const records = '/run/evenkeel-testbed';

/** The slot of the private engine whose data lie below the folder; undefined while there is none. */
export function slotBelow(folder: string): number | undefined {
  for (const name of existsSync(records) ? readdirSync(records) : []) {
    if (!/^\d+\.json$/.test(name)) continue;
    const { slot, directory } = JSON.parse(readFileSync(join(records, name), 'utf8')) as {
      slot: number;
      directory: string;
    };
    if (directory.startsWith(`${folder}/`)) return slot;
  }
  return undefined;
}

/** Everything on this machine that belongs to the folder or to the engine of the slot. */
export function traces(folder: string, slot: number | undefined) {
  const runtime = slot === undefined ? undefined : `${records}/${slot}`;
  const ours = (text: string) => text.includes(`${folder}/`) || (runtime !== undefined && text.includes(`${runtime}/`));
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const hierarchies = mounts.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4] ?? '');
  return {
    processes: readdirSync('/proc').map(commandLine).filter(ours),
    mounts: mounts.filter(ours),
    bridges: readdirSync('/sys/class/net').filter((name) => name === `evenkeel${slot}`),
    cgroups: hierarchies.map((point) => `${point}/evenkeel-${slot}`).filter((path) => existsSync(path)),
    records: runtime === undefined ? [] : [runtime, `${runtime}.json`].filter((path) => existsSync(path)),
  };
}

/** What `traces` says of a machine that nothing is left on. */
export const nothing = { processes: [], mounts: [], bridges: [], cgroups: [], records: [] };

/** The arguments of a process, joined by spaces; '' when there is none. */
function commandLine(pid: string): string {
  try {
    return /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') : '';
  } catch {
    return '';
  }
}
