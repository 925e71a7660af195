import { X509Certificate } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import type { Registry, RegistryPatch } from '@evenkeel/contract';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import { type Clock, moment } from '../platform/clock.ts';
import type { Sealer } from '../platform/crypto/sealer.ts';
import { describeError, Fault } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import { isLoopbackName } from '../platform/registry/address-guard.ts';
import { createRegistryClient } from '../platform/registry/create-registry-client.ts';
import { createRegistryFetch } from '../platform/registry/registry-fetch.ts';
import { canonicalRegistry, type RegistryCredential, type RegistryTrust } from '../platform/registry/registry-trust.ts';
import type { Store } from '../platform/store/store.ts';
import { createCredentialHelpers } from './credential-helper.ts';
import { createDockerConfig } from './docker-config.ts';
import type { StoredRegistries } from './registries.ts';
import { createBlobsStore, createRegistriesStore, type RegistryRow } from './registries-store.ts';

export interface RegistriesOptions {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 up to 1, for jitter. */
  readonly random: () => number;
  /**
   * Hosts that are named and for which plain HTTP is allowed, beside stored entries that say so. A name of the loopback without a
   * port stands for every port of this machine.
   */
  readonly insecureHosts: readonly string[];
  /** Path of the docker configuration file; it may be missing. */
  readonly dockerConfigFile: string | undefined;
  /** Where credential helpers are looked for; the PATH of the server when left out. */
  readonly helperSearchPath?: string;
  /** Default 15 seconds. */
  readonly timeoutMilliseconds?: number;
  /** Resolves the names of registries; by default as the system does. */
  readonly lookup?: LookupFunction;
}

const unreadablePassword = 'The stored password cannot be opened with the present key file.';

export function createRegistries(options: RegistriesOptions): StoredRegistries {
  const { store, sealer, clock, log, random } = options;
  const stored = createRegistriesStore(store);
  const helpers = createCredentialHelpers({ now: () => clock.now(), searchPath: options.helperSearchPath });
  const dockerConfig = createDockerConfig({ file: options.dockerConfigFile, helpers, log });
  const insecureHosts = new Set(options.insecureHosts.map(canonicalRegistry));
  const rows = new Map(stored.all().map((row) => [row.id, row]));
  const collection = new LiveCollection<Registry>({ topic: 'registries', keyOf: ({ id }) => id });
  const firstSeen = new Map<string, number>();
  const opened = new Map<string, { sealed: string; plain: string }>();

  const rowOf = (host: string): RegistryRow | undefined => [...rows.values()].find((row) => row.host === host);

  /** Undefined where the sealed password cannot be opened: the registry is then asked without it, and health says why. */
  function passwordOf(row: RegistryRow): string | undefined {
    if (row.password === null) return undefined;
    const known = opened.get(row.id);
    if (known?.sealed === row.password) return known.plain;
    try {
      const plain = sealer.open(row.password, contextOf(row.id));
      opened.set(row.id, { sealed: row.password, plain });
      return plain;
    } catch (error) {
      log.warn({ registry: row.host, reason: describeError(error) }, 'a stored registry password cannot be opened');
      return undefined;
    }
  }

  function storedCredential(host: string): RegistryCredential | undefined {
    const row = rowOf(host);
    const password = row && row.username !== null ? passwordOf(row) : undefined;
    return row?.username && password !== undefined ? { username: row.username, password } : undefined;
  }

  async function credentialsFor(host: string): Promise<RegistryCredential | undefined> {
    return storedCredential(host) ?? (await dockerConfig.credentialFor(host));
  }

  function whyNoCredentials(host: string): string | undefined {
    if (storedCredential(host)) return undefined;
    return rowOf(host)?.password ? unreadablePassword : dockerConfig.problem(host);
  }

  function isInsecure(host: string): boolean {
    const name = host.replace(/:\d+$/, '');
    return insecureHosts.has(host) || (isLoopbackName(name) && insecureHosts.has(name));
  }

  function trustFor(host: string): RegistryTrust | undefined {
    const name = canonicalRegistry(host);
    const row = rowOf(name);
    const insecure = isInsecure(name) || row?.insecure === true;
    if (row) return { insecure, ca: row.caCertificate ?? undefined, tokenHosts: row.tokenHosts };
    return insecure || dockerConfig.names(name) ? { insecure, ca: undefined, tokenHosts: [] } : undefined;
  }

  const client = createRegistryClient({
    clock,
    log,
    random,
    credentialsFor,
    whyNoCredentials,
    trustFor,
    ...(options.lookup === undefined ? {} : { fetcher: createRegistryFetch({ lookup: options.lookup }) }),
    ...(store.readOnly ? {} : { blobs: createBlobsStore(store, () => clock.now()) }),
    ...(options.timeoutMilliseconds === undefined ? {} : { timeoutMilliseconds: options.timeoutMilliseconds }),
  });

  function healthOf(host: string): Registry['health'] {
    const { coolDownUntil, reason, ...health } = client.health(host);
    const unreadable = rowOf(host)?.password && !storedCredential(host);
    const note = unreadable || dockerConfig.names(host) ? whyNoCredentials(host) : undefined;
    return {
      ...health,
      reason: reason ?? note ?? null,
      coolDownUntil: coolDownUntil === null ? null : moment(coolDownUntil),
    };
  }

  function toRegistry(row: RegistryRow): Registry {
    return {
      id: row.id,
      host: row.host,
      stored: true,
      username: row.username,
      passwordSet: row.password !== null,
      insecure: row.insecure,
      caCertificate: row.caCertificate,
      tokenHosts: [...row.tokenHosts],
      health: healthOf(row.host),
      createdAt: moment(row.createdAt),
    };
  }

  /** A host that was asked without an entry: its limits and its health matter all the same. */
  function withoutEntry(host: string): Registry {
    const since = firstSeen.get(host) ?? clock.now();
    firstSeen.set(host, since);
    return {
      ...{ id: `host:${host}`, host, stored: false, username: null, passwordSet: false },
      ...{ insecure: isInsecure(host), caCertificate: null, tokenHosts: [] },
      health: healthOf(host),
      createdAt: moment(since),
    };
  }

  function refresh(): void {
    const asked = new Set(client.counters().map(({ host }) => host));
    const hosts = [...asked].filter((host) => rowOf(host) === undefined);
    const present = [...[...rows.values()].map(toRegistry), ...hosts.map(withoutEntry)];
    const ids = new Set(present.map(({ id }) => id));
    const gone = [...collection.values()].filter(({ id }) => !ids.has(id)).map(({ id }) => id);
    collection.publish(present, gone);
  }

  function save(row: RegistryRow): Registry {
    store.requireWritable('The registry cannot be stored');
    stored.put(row);
    rows.set(row.id, row);
    refresh();
    return toRegistry(row);
  }

  function find(id: string): RegistryRow {
    const row = rows.get(id);
    if (row === undefined)
      throw new Fault(
        'not_found',
        `There is no stored registry with the id "${id}". List them to see which there are.`,
      );
    return row;
  }

  refresh();
  return {
    client,
    async pullAuth(registryHost) {
      const host = canonicalRegistry(registryHost);
      const credential = await credentialsFor(host);
      if (credential === undefined) return undefined;
      return { ...credential, serveraddress: host === 'docker.io' ? 'https://index.docker.io/v1/' : registryHost };
    },
    current() {
      refresh();
      return collection;
    },
    add(body) {
      const host = canonicalRegistry(body.host);
      if (rowOf(host)) throw new Fault('conflict', `There is an entry for ${host} already. Change that one.`);
      const id = crypto.randomUUID();
      return save({
        id,
        host,
        username: body.username || null,
        password: body.password ? sealer.seal(body.password, contextOf(id)) : null,
        insecure: body.insecure,
        caCertificate: checkedCertificate(body.caCertificate),
        tokenHosts: body.tokenHosts.map((one) => one.toLowerCase()),
        createdAt: clock.now(),
      });
    },
    change(id, patch) {
      const row = find(id);
      refuseNewTokenHosts(row, patch);
      const password = patch.password ? sealer.seal(patch.password, contextOf(id)) : null;
      return save({
        ...row,
        username: patch.username === undefined ? row.username : patch.username || null,
        password: patch.password === undefined ? row.password : password,
        insecure: patch.insecure ?? row.insecure,
        caCertificate: patch.caCertificate === undefined ? row.caCertificate : checkedCertificate(patch.caCertificate),
        tokenHosts: patch.tokenHosts?.map((one) => one.toLowerCase()) ?? row.tokenHosts,
      });
    },
    remove(id) {
      find(id);
      store.requireWritable('The registry cannot be removed');
      stored.remove(id);
      rows.delete(id);
      opened.delete(id);
      refresh();
    },
    async test(id, signal) {
      const result = await client.test(find(id).host, signal);
      refresh();
      return result;
    },
    close: () => client.close(),
  };
}

/** Whoever may change an entry need not know its password, and must not be able to have it sent to a host of his own. */
function refuseNewTokenHosts(row: RegistryRow, patch: RegistryPatch): void {
  const added = patch.tokenHosts?.find((one) => !row.tokenHosts.includes(one.toLowerCase()));
  if (added === undefined || row.password === null || patch.password !== undefined) return;
  const message = `must be given again, because ${added} would be given it too`;
  throw new Fault('bad_input', `The password of ${row.host} ${message}.`, {
    fields: [{ field: 'body.password', rule: 'required', message }],
  });
}

function contextOf(id: string): string {
  return `registries/${id}/password`;
}

/** A certificate that cannot be read is refused when it is saved, not found out at the next check. */
function checkedCertificate(pem: string | undefined): string | null {
  if (pem === undefined || pem.trim() === '') return null;
  try {
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    const message = 'is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)';
    throw new Fault('bad_input', `The certificate of the authority ${message}.`, {
      cause: error,
      fields: [{ field: 'body.caCertificate', rule: 'certificate', message }],
    });
  }
}
