import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import type { Log } from '../platform/log/log.ts';
import { canonicalRegistry, type RegistryCredential } from '../platform/registry/registry-trust.ts';
import type { CredentialHelpers } from './credential-helper.ts';

/** The credentials of a docker configuration file (`~/.docker/config.json`), read again when the file changes. */
export interface DockerConfig {
  /** From the file, or from the credential helper that it names for the host or for all. */
  credentialFor(host: string): Promise<RegistryCredential | undefined>;
  /** Whether the file names this host. */
  names(host: string): boolean;
  /** Why the credentials that the file means for this host cannot be used; undefined where nothing is known to be wrong. */
  problem(host: string): string | undefined;
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

/** What the file says about one host. */
interface Entry {
  /** As the file writes it: credential helpers know the host by this name. */
  readonly server: string;
  readonly credential: RegistryCredential | undefined;
  readonly identityToken: boolean;
  readonly helper: string | undefined;
}

interface Read {
  readonly changedAt: number;
  readonly entries: ReadonlyMap<string, Entry>;
  /** The helper for every host that has no credentials in the file. */
  readonly store: string | undefined;
}

const nothing: Read = { changedAt: -1, entries: new Map(), store: undefined };
const hubServer = 'https://index.docker.io/v1/';

export function createDockerConfig(options: {
  file: string | undefined;
  helpers: CredentialHelpers;
  log: Log;
}): DockerConfig {
  const { file, helpers, log } = options;
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

  /** The helper to ask for a host, as docker chooses it, save that credentials in the file go before the one for all. */
  function helperFor(host: string): { name: string; server: string } | undefined {
    const { entries, store } = current();
    const entry = entries.get(host);
    const name = entry?.helper ?? (entry?.credential ? undefined : store);
    if (name === undefined) return undefined;
    return { name, server: entry?.server ?? (host === 'docker.io' ? hubServer : host) };
  }

  return {
    async credentialFor(host) {
      const helper = helperFor(host);
      return helper ? helpers.get(helper.name, helper.server) : current().entries.get(host)?.credential;
    },
    names: (host) => current().entries.has(host),
    problem(host) {
      const helper = helperFor(host);
      if (helper) {
        const text = helpers.problem(helper.name, helper.server);
        return text === undefined
          ? undefined
          : `The docker configuration file keeps the credentials for ${host} in the credential helper "${helper.name.slice(0, 64)}", which ${text}. Store them here instead.`;
      }
      return current().entries.get(host)?.identityToken
        ? `The docker configuration file has an identity token for ${host}, which Evenkeel does not use. Store a name and a password here instead.`
        : undefined;
    },
  };
}

function parseDockerConfig(text: string, changedAt: number): Read {
  const { auths, credsStore, credHelpers } = ConfigFile.parse(JSON.parse(text));
  const entries = new Map<string, Entry>();
  const none = { credential: undefined, identityToken: false, helper: undefined };
  // Docker takes the name that it writes itself before any other for the same host.
  const ranked = Object.entries(auths ?? {}).toSorted(
    ([one], [other]) => Number(isUsual(one)) - Number(isUsual(other)),
  );
  for (const [server, auth] of ranked) {
    const host = hostOf(server);
    if (host === undefined) continue;
    const identityToken = Boolean(auth.identitytoken);
    entries.set(host, { ...none, server, credential: identityToken ? undefined : credentialOf(auth), identityToken });
  }
  for (const [server, helper] of Object.entries(credHelpers ?? {})) {
    const host = hostOf(server);
    if (host !== undefined) entries.set(host, { ...none, server, helper });
  }
  return { changedAt, entries, store: credsStore || undefined };
}

function credentialOf(auth: z.infer<typeof Auth>): RegistryCredential | undefined {
  if (auth.username && auth.password) return { username: auth.username, password: auth.password };
  if (!auth.auth) return undefined;
  const text = Buffer.from(auth.auth, 'base64').toString('utf8').replaceAll('\0', '');
  const colon = text.indexOf(':');
  return colon <= 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * `https://index.docker.io/v1/` is `docker.io`. Undefined for names with another path: `…/access-token` and `…/refresh-token` hold
 * tokens of `docker login` on the web, others credentials for a part of a registry.
 */
function hostOf(name: string): string | undefined {
  const [, address = '', path = ''] = /^(?:https?:\/\/)?([^/]+)(\/.*)?$/i.exec(name) ?? [];
  const host = canonicalRegistry(address);
  const isApi = /^\/?$|^\/v1\/?$/.test(path) || (host !== 'docker.io' && /^\/v2\/?$/.test(path));
  return host !== '' && isApi ? host : undefined;
}

/** Whether docker itself writes this name for a host. */
function isUsual(name: string): boolean {
  return hostOf(name) === 'docker.io' ? name === hubServer : !name.includes('/');
}
