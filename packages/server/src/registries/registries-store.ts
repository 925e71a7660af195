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

/** How much room the documents may take. */
export interface BlobBounds {
  /** A longer one is not kept; it is asked for again when it is needed. */
  readonly mostBytesEach: number;
  readonly mostBytes: number;
}

const usualBounds: BlobBounds = { mostBytesEach: 1_048_576, mostBytes: 128 * 1_048_576 };

/** Manifests and image configurations by digest, the oldest forgotten beyond the bounds. */
export function createBlobsStore(store: Store, now: () => number, bounds: BlobBounds = usualBounds): BlobStore {
  const { mostBytesEach, mostBytes } = bounds;
  // Looking at every length costs time, so it is done once in a while and goes down to seven eighths.
  const slack = mostBytes / 8;
  let written = Number.POSITIVE_INFINITY;

  function prune(): void {
    written = 0;
    store.raw
      .prepare(
        `DELETE FROM registry_blobs WHERE digest IN (
           SELECT digest FROM (
             SELECT digest, SUM(LENGTH(CAST(document AS BLOB))) OVER (ORDER BY stored_at DESC, digest) AS total
             FROM registry_blobs
           ) WHERE total > ?
         )`,
      )
      .run(mostBytes - slack);
  }

  return {
    async get(digest) {
      const find = store.raw.prepare<[string], { document: string }>(
        'SELECT document FROM registry_blobs WHERE digest = ?',
      );
      return find.get(digest)?.document;
    },
    async put(digest, document) {
      const bytes = Buffer.byteLength(document);
      if (bytes > mostBytesEach) return;
      if (written + bytes > slack) prune();
      store.raw
        .prepare(
          'INSERT INTO registry_blobs (digest, document, stored_at) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING',
        )
        .run(digest, document, now());
      written += bytes;
    },
  };
}
