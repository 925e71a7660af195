import { X509Certificate } from 'node:crypto';
import type { Registry } from '@evenkeel/contract';
import { LiveCollection } from '../platform/bus/live-collection.ts';
import { type Clock, moment } from '../platform/clock.ts';
import type { Sealer } from '../platform/crypto/sealer.ts';
import { describeError, Fault } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import { createRegistryClient } from '../platform/registry/create-registry-client.ts';
import { canonicalRegistry, type RegistryCredential, type RegistryTrust } from '../platform/registry/registry-trust.ts';
import type { Store } from '../platform/store/store.ts';
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
  /** Hosts for which plain HTTP is allowed, beside loopback and stored entries that say so. */
  readonly insecureHosts: readonly string[];
  /** Path of the docker configuration file; it may be missing. */
  readonly dockerConfigFile: string | undefined;
  /** Default 15 seconds. */
  readonly timeoutMilliseconds?: number;
}

export function createRegistries(options: RegistriesOptions): StoredRegistries {
  const { store, sealer, clock, log, random } = options;
  const stored = createRegistriesStore(store);
  const dockerConfig = createDockerConfig({ file: options.dockerConfigFile, log });
  const insecureHosts = new Set(options.insecureHosts.map(canonicalRegistry));
  const rows = new Map(stored.all().map((row) => [row.id, row]));
  const collection = new LiveCollection<Registry>({ topic: 'registries', keyOf: ({ id }) => id });
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

  function credentialsFor(host: string): RegistryCredential | undefined {
    const row = rowOf(host);
    if (row && row.username !== null) {
      const password = passwordOf(row);
      if (password !== undefined) return { username: row.username, password };
    }
    return dockerConfig.credentialFor(host);
  }

  function trustFor(host: string): RegistryTrust | undefined {
    const name = canonicalRegistry(host);
    const row = rowOf(name);
    const insecure = insecureHosts.has(name) || row?.insecure === true;
    if (row === undefined) return insecure ? { insecure, ca: undefined, tokenHosts: [] } : undefined;
    return { insecure, ca: row.caCertificate ?? undefined, tokenHosts: row.tokenHosts };
  }

  const client = createRegistryClient({
    clock,
    log,
    random,
    credentialsFor,
    trustFor,
    ...(store.readOnly ? {} : { blobs: createBlobsStore(store, () => clock.now()) }),
    ...(options.timeoutMilliseconds === undefined ? {} : { timeoutMilliseconds: options.timeoutMilliseconds }),
  });

  function toRegistry(row: RegistryRow): Registry {
    const { coolDownUntil, reason, ...health } = client.health(row.host);
    const unreadable = row.password !== null && passwordOf(row) === undefined;
    const note = unreadable
      ? 'The stored password cannot be opened with the present key file.'
      : dockerConfig.note(row.host);
    return {
      id: row.id,
      host: row.host,
      username: row.username,
      passwordSet: row.password !== null,
      insecure: row.insecure,
      caCertificate: row.caCertificate,
      tokenHosts: [...row.tokenHosts],
      health: {
        ...health,
        reason: reason ?? (row.username === null || unreadable ? (note ?? null) : null),
        coolDownUntil: coolDownUntil === null ? null : moment(coolDownUntil),
      },
      createdAt: moment(row.createdAt),
    };
  }

  function refresh(): void {
    const gone = [...collection.values()].filter(({ id }) => !rows.has(id)).map(({ id }) => id);
    collection.publish([...rows.values()].map(toRegistry), gone);
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
    pullAuth(registryHost) {
      const host = canonicalRegistry(registryHost);
      const credential = credentialsFor(host);
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
