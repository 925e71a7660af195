import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess, startProcess } from './process.ts';
import { requireProgram } from './programs.ts';
import { waitFor } from './wait-for.ts';

export interface RegistryServerOptions {
  directory: string;
  auth:
    | { kind: 'none' }
    | { kind: 'basic'; username: string; password: string }
    | { kind: 'token'; realm: string; service: string; issuer: string; certificateFile: string };
}

/** The docker-registry process, without our proxy in front. */
export interface RegistryServer {
  port: number;
  pid: number;
  stop(): Promise<void>;
}

/** Starts docker-registry on a free port of the loopback. */
export async function startRegistryServer({ directory, auth }: RegistryServerOptions): Promise<RegistryServer> {
  mkdirSync(join(directory, 'storage'), { recursive: true });
  const config = join(directory, 'config.yml');
  const log = join(directory, `registry-${Date.now()}.log`);
  writeFileSync(config, JSON.stringify(registryConfig(directory, auth), null, 2));
  const child = startProcess(requireProgram('docker-registry'), ['serve', config], log);
  const port = await waitFor(
    () => {
      const text = readFileSync(log, 'utf8');
      if (child.exitCode !== null) throw new Error(`docker-registry ended with code ${child.exitCode}: ${text}`);
      return Number(/listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1] ?? 0);
    },
    { describe: `docker-registry to listen (see ${log})` },
  );
  const pid = child.pid ?? 0;
  return { port, pid, stop: () => endProcess(pid, 'SIGKILL') };
}

/** YAML is a superset of JSON, so the configuration is written as JSON. */
function registryConfig(directory: string, auth: RegistryServerOptions['auth']): object {
  return {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(directory, 'storage') },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    // Relative locations, so that uploads stay on the proxy's address.
    http: { addr: '127.0.0.1:0', relativeurls: true, secret: 'testbed' },
    ...authConfig(directory, auth),
  };
}

function authConfig(directory: string, auth: RegistryServerOptions['auth']): object {
  if (auth.kind === 'basic') {
    const path = join(directory, 'htpasswd');
    // Cost 4 is bcrypt's least: the tests are about the protocol, not about the hash.
    writeFileSync(path, execFileSync(requireProgram('htpasswd'), ['-nbB', '-C', '4', auth.username, auth.password]));
    return { auth: { htpasswd: { realm: 'testbed', path } } };
  }
  if (auth.kind === 'token') {
    const { realm, service, issuer, certificateFile } = auth;
    return { auth: { token: { realm, service, issuer, rootcertbundle: certificateFile } } };
  }
  return {};
}
