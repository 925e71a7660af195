import type { BlobStore } from '../platform/registry/blob-cache.ts';
import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Migrations, Store } from '../platform/store/store.ts';

export const registriesMigrations: Migrations = {
  '2026-11-25-registries-1': {
    async up(db) {
      await db.schema
        .createTable('registries')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('host', 'text', (column) => column.notNull().unique())
        .addColumn('username', 'text')
        .addColumn('password', 'text')
        .addColumn('insecure', 'integer', (column) => column.notNull())
        .addColumn('ca_certificate', 'text')
        .addColumn('token_hosts', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('registry_blobs')
        .addColumn('digest', 'text', (column) => column.primaryKey())
        .addColumn('document', 'text', (column) => column.notNull())
        .addColumn('stored_at', 'bigint', (column) => column.notNull())
        .execute();
    },
  },
};

/** A stored entry. `password` is sealed. */
export interface RegistryRow {
  readonly id: string;
  readonly host: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly insecure: boolean;
  readonly caCertificate: string | null;
  readonly tokenHosts: readonly string[];
  readonly createdAt: number;
}

interface Stored {
  id: string;
  host: string;
  username: string | null;
  password: string | null;
  insecure: number;
  ca_certificate: string | null;
  token_hosts: string;
  created_at: number;
}

/** Durable on return. Writes throw `read_only` and `disk_full`. */
export interface RegistriesStore {
  all(): RegistryRow[];
  put(row: RegistryRow): void;
  remove(id: string): void;
}

export function createRegistriesStore(store: Store): RegistriesStore {
  return {
    all() {
      const rows = store.raw.prepare<[], Stored>('SELECT * FROM registries ORDER BY host').all();
      return rows.map((row) => ({
        id: row.id,
        host: row.host,
        username: row.username,
        password: row.password,
        insecure: row.insecure === 1,
        caCertificate: row.ca_certificate,
        tokenHosts: JSON.parse(row.token_hosts),
        createdAt: row.created_at,
      }));
    },
    put(row) {
      withDatabaseFaults(() =>
        store.raw
          .prepare(
            `INSERT INTO registries (id, host, username, password, insecure, ca_certificate, token_hosts, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET host = excluded.host, username = excluded.username, password = excluded.password,
               insecure = excluded.insecure, ca_certificate = excluded.ca_certificate, token_hosts = excluded.token_hosts`,
          )
          .run(
            row.id,
            row.host,
            row.username,
            row.password,
            Number(row.insecure),
            row.caCertificate,
            JSON.stringify(row.tokenHosts),
            row.createdAt,
          ),
      );
    },
    remove(id) {
      withDatabaseFaults(() => store.raw.prepare('DELETE FROM registries WHERE id = ?').run(id));
    },
  };
}

const mostBlobs = 5000;

/** Manifests and image configurations by digest, the oldest forgotten beyond a bound. */
export function createBlobsStore(store: Store, now: () => number): BlobStore {
  let writes = 0;
  return {
    async get(digest) {
      const find = store.raw.prepare<[string], { document: string }>(
        'SELECT document FROM registry_blobs WHERE digest = ?',
      );
      return find.get(digest)?.document;
    },
    async put(digest, document) {
      store.raw
        .prepare(
          'INSERT INTO registry_blobs (digest, document, stored_at) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING',
        )
        .run(digest, document, now());
      writes += 1;
      if (writes % 200 !== 0) return;
      store.raw
        .prepare(
          'DELETE FROM registry_blobs WHERE digest NOT IN (SELECT digest FROM registry_blobs ORDER BY stored_at DESC LIMIT ?)',
        )
        .run(mostBlobs);
    },
  };
}
