import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import type { Log } from '../platform/log/log.ts';
import { canonicalRegistry, type RegistryCredential } from '../platform/registry/registry-trust.ts';

/** The credentials of a docker configuration file (`~/.docker/config.json`), read again when the file changes. */
export interface DockerConfig {
  credentialFor(host: string): RegistryCredential | undefined;
  /** Where the file names a credential helper for this host: we run none, and this sentence says so. */
  note(host: string): string | undefined;
}

const Auth = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const ConfigFile = z.object({
  auths: z.record(z.string(), Auth).nullish(),
  credsStore: z.string().nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
});

interface Read {
  readonly changedAt: number;
  readonly credentials: ReadonlyMap<string, RegistryCredential>;
  readonly helpers: ReadonlyMap<string, string>;
}

const nothing: Read = { changedAt: -1, credentials: new Map(), helpers: new Map() };

export function createDockerConfig({ file, log }: { file: string | undefined; log: Log }): DockerConfig {
  let read = nothing;

  function current(): Read {
    if (file === undefined) return nothing;
    const changedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1;
    if (changedAt === read.changedAt) return read;
    if (changedAt === -1) read = nothing;
    else {
      try {
        read = parseDockerConfig(readFileSync(file, 'utf8'), changedAt);
      } catch (error) {
        log.warn(
          { file, reason: error instanceof Error ? error.name : '' },
          'the docker configuration file cannot be read',
        );
        read = { ...nothing, changedAt };
      }
    }
    return read;
  }

  return {
    credentialFor: (host) => current().credentials.get(host),
    note(host) {
      const helper = current().helpers.get(host) ?? current().helpers.get('*');
      return helper === undefined || current().credentials.has(host)
        ? undefined
        : `The docker configuration file keeps the credentials for ${host} in the credential helper "${helper}", which Evenkeel does not run. Store them here instead.`;
    },
  };
}

export function parseDockerConfig(text: string, changedAt: number): Read {
  const { auths, credsStore, credHelpers } = ConfigFile.parse(JSON.parse(text));
  const credentials = new Map<string, RegistryCredential>();
  const helpers = new Map<string, string>();
  for (const [name, helper] of Object.entries(credHelpers ?? {})) helpers.set(hostOf(name), helper);
  for (const [name, auth] of Object.entries(auths ?? {})) {
    const credential = credentialOf(auth);
    if (credential) credentials.set(hostOf(name), credential);
    else if (auth.identitytoken) helpers.set(hostOf(name), 'identity token');
    else if (credsStore) helpers.set(hostOf(name), credsStore);
  }
  return { changedAt, credentials, helpers };
}

function credentialOf(auth: z.infer<typeof Auth>): RegistryCredential | undefined {
  if (auth.identitytoken) return undefined;
  if (auth.username && auth.password) return { username: auth.username, password: auth.password };
  if (!auth.auth) return undefined;
  const text = Buffer.from(auth.auth, 'base64').toString('utf8').replaceAll('\0', '');
  const colon = text.indexOf(':');
  return colon <= 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** `https://index.docker.io/v1/` is `docker.io`. */
function hostOf(name: string): string {
  return canonicalRegistry(name.replace(/^https?:\/\//, '').replace(/\/.*$/, ''));
}
