import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';

/**
 * The database. Tables belong to the slices: a slice keeps its SQL and its append-only migrations in its `*-store.ts` and
 * narrows `db` to its own tables with `tables<T>()`.
 */
export interface Store {
  /** The same connection, seen with the tables of one slice. */
  tables<T>(): Kysely<T>;
  /** Runs `work` in one immediate transaction; synchronous, as SQLite is. */
  readonly raw: Database.Database;
  /** True when the database cannot be written; every write then fails with `read_only`. */
  readonly readOnly: boolean;
  close(): Promise<void>;
}

/** Named `<yyyy-mm-dd>-<slice>-<n>`; a migration that has shipped is never changed. */
export type Migrations = Readonly<Record<string, Migration>>;

export interface StoreOptions {
  readonly migrations: Migrations;
  readonly readOnly?: boolean;
}

/** Opens the SQLite file with WAL and `synchronous=FULL`: a record that was written survives a power cut. */
export async function openStore(file: string, options: StoreOptions): Promise<Store> {
  const readOnly = options.readOnly ?? false;
  const raw = new Database(file, { readonly: readOnly, timeout: 5000 });
  if (!readOnly) raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  raw.pragma('foreign_keys = ON');
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: raw }) });
  if (!readOnly) await migrate(db, options.migrations);
  return {
    tables: <T>() => db as Kysely<T>,
    raw,
    readOnly,
    close: () => db.destroy(),
  };
}

async function migrate(db: Kysely<unknown>, migrations: Migrations): Promise<void> {
  const migrator = new Migrator({
    db,
    allowUnorderedMigrations: true,
    provider: { getMigrations: async () => ({ ...migrations }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
