import { readFileSync } from 'node:fs';

/**
 * Id of the container in which this process runs, from the mounts that the engine makes for it. It works with any host name and
 * with `--network host`; undefined outside a container.
 */
export function ownContainerId(mountInfo: string | undefined = readMountInfo()): string | undefined {
  return /\/containers\/([0-9a-f]{64})\/(?:resolv\.conf|hostname|hosts)\b/.exec(mountInfo ?? '')?.[1];
}

function readMountInfo(): string | undefined {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return undefined;
  }
}
