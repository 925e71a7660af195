import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from './engine-request.ts';
import { commandLine, endProcess, isAlive, startProcess } from './process.ts';
import { requireProgram } from './programs.ts';
import type { Slot } from './slot.ts';
import { cgroupOf } from './sweep.ts';
import { waitFor } from './wait-for.ts';

/** The two processes of a private engine and the files they run on. */
export interface Daemon {
  socketPath: string;
  /** Starts what is not running (containerd, dockerd) and waits until the API answers. */
  start(): Promise<void>;
  /** Ends dockerd by the signal and waits for its end. containerd and the containers' shims stay. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Ends containerd in order; call after `end`. */
  endContainerd(): Promise<void>;
  /** The process id of dockerd, while it runs. */
  pid(): number | undefined;
}

export interface DaemonOptions {
  directory: string;
  slot: Slot;
  bridge: string;
}

/** Lets every system call pass. Building the filter of the default profile is an eighth of a container's start. */
const openSeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW' };

/** Writes the configuration of a private daemon. Nothing is started yet. */
export function createDaemon({ directory, slot, bridge }: DaemonOptions): Daemon {
  const { runtime } = slot;
  const socketPath = join(runtime, 'docker.sock');
  const containerdSocket = join(runtime, 'containerd.sock');
  const dockerdPid = join(runtime, 'dockerd.pid');
  const dockerdConfig = join(runtime, 'dockerd.json');
  const containerdConfig = join(runtime, 'containerd.toml');
  const seccompProfile = join(runtime, 'seccomp.json');
  mkdirSync(directory, { recursive: true });
  mkdirSync(runtime, { recursive: true, mode: 0o711 });
  let containerdPid: number | undefined;

  writeFileSync(
    containerdConfig,
    containerdToml(join(directory, 'containerd'), join(runtime, 'containerd'), containerdSocket),
  );
  writeFileSync(seccompProfile, JSON.stringify(openSeccompProfile));
  writeFileSync(
    dockerdConfig,
    JSON.stringify({
      'data-root': join(directory, 'docker'),
      'exec-root': join(runtime, 'exec'),
      pidfile: dockerdPid,
      hosts: [`unix://${socketPath}`],
      containerd: containerdSocket,
      'containerd-namespace': 'evenkeel',
      'containerd-plugins-namespace': 'evenkeel-plugins',
      bridge,
      // Starting dockerd flushes the chains that every dockerd of the machine shares. Ports are published by the
      // user-land proxy instead, which works from everywhere and leaves the machine's rules and sysctls alone.
      iptables: false,
      ip6tables: false,
      'ip-masq': false,
      'ip-forward': false,
      'userland-proxy': true,
      'default-address-pools': [{ base: `10.${192 + slot.number}.128.0/17`, size: 24 }],
      'cgroup-parent': cgroupOf(slot.number),
      'exec-opts': ['native.cgroupdriver=cgroupfs'],
      'log-level': 'warn',
      'seccomp-profile': seccompProfile,
    }),
  );

  function pid(): number | undefined {
    if (!existsSync(dockerdPid)) return undefined;
    const number = Number(readFileSync(dockerdPid, 'utf8'));
    return isAlive(number) && commandLine(number).includes(dockerdConfig) ? number : undefined;
  }

  async function startContainerd(): Promise<void> {
    if (containerdPid !== undefined && isAlive(containerdPid)) return;
    const log = join(directory, 'containerd.log');
    const child = startProcess(requireProgram('containerd'), ['--config', containerdConfig], log);
    containerdPid = child.pid;
    await waitFor(() => answersOrEnded(child.exitCode, log, () => existsSync(containerdSocket)), {
      timeoutMs: 60_000,
      describe: `containerd to listen (see ${log})`,
    });
  }

  async function start(): Promise<void> {
    createBridge(bridge, `10.${192 + slot.number}.0.1/24`);
    await startContainerd();
    const log = join(directory, 'dockerd.log');
    if (pid() === undefined) {
      const child = startProcess(requireProgram('dockerd'), ['--config-file', dockerdConfig], log);
      await waitFor(() => answersOrEnded(child.exitCode, log, () => ping(socketPath)), {
        timeoutMs: 60_000,
        describe: `dockerd to answer (see ${log})`,
      });
    }
  }

  return {
    socketPath,
    start,
    async end(signal) {
      const running = pid();
      if (running !== undefined) await endProcess(running, signal, 60_000);
    },
    async endContainerd() {
      if (containerdPid !== undefined) await endProcess(containerdPid, 'SIGTERM', 60_000);
    },
    pid,
  };
}

async function answersOrEnded(exitCode: number | null, log: string, answers: () => boolean | Promise<boolean>) {
  if (exitCode !== null) throw new Error(`The daemon ended with code ${exitCode}:\n${lastLines(log, 10)}`);
  return answers();
}

async function ping(socketPath: string): Promise<boolean> {
  return existsSync(socketPath) && (await request(socketPath, 'GET', '/_ping')).status === 200;
}

function lastLines(file: string, count: number): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}

function createBridge(name: string, address: string): void {
  if (existsSync(`/sys/class/net/${name}`)) return;
  const ip = requireProgram('ip');
  execFileSync(ip, ['link', 'add', name, 'type', 'bridge'], { stdio: 'pipe' });
  execFileSync(ip, ['address', 'add', address, 'dev', name], { stdio: 'pipe' });
  execFileSync(ip, ['link', 'set', name, 'up'], { stdio: 'pipe' });
}

/** A containerd of our own, because dockerd adopts the machine's one at its default address when there is one. */
function containerdToml(root: string, state: string, socket: string): string {
  const unused = [
    'grpc.v1.cri',
    'snapshotter.v1.btrfs',
    'snapshotter.v1.zfs',
    'snapshotter.v1.devmapper',
    'snapshotter.v1.aufs',
  ];
  const disabled = [...unused, 'internal.v1.opt'].map((plugin) => `"io.containerd.${plugin}"`);
  return `version = 2
root = "${root}"
state = "${state}"
disabled_plugins = [${disabled.join(', ')}]
[grpc]
address = "${socket}"
[ttrpc]
address = "${socket}.ttrpc"
[debug]
level = "warn"
`;
}
