import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { TestbedUnavailable } from './unavailable.ts';

/** Debian's package for each program that the test bed runs. */
export const packageOfProgram = {
  dockerd: 'docker.io',
  containerd: 'containerd',
  docker: 'docker.io',
  'docker-registry': 'docker-registry',
  htpasswd: 'apache2-utils',
  chromium: 'chromium',
  'docker-compose': 'docker-compose',
  busybox: 'busybox-static',
  iptables: 'iptables',
  ip: 'iproute2',
  openssl: 'openssl',
  mount: 'mount',
  umount: 'mount',
} as const;

/** A program that the test bed can ask for. */
export type Program = keyof typeof packageOfProgram;

const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The absolute path of a program, also when `sbin` is not on the PATH; undefined when it is not installed. */
export function findProgram(program: Program): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...systemDirectories];
  return directories
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, program))
    .find(isExecutable);
}

/** The absolute path of a program, or TestbedUnavailable with the package to install. */
export function requireProgram(program: Program): string {
  const path = findProgram(program);
  if (path !== undefined) return path;
  throw new TestbedUnavailable(
    `The program ${program} is missing. Install Debian's package ${packageOfProgram[program]}, or run scripts/install-packages.sh as root.`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
