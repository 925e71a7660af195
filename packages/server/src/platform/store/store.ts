import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { Fault } from '../fault.ts';
import { createWriting, type WriteTrouble, type Writing } from './writing.ts';

/**
 * The database. Tables belong to the slices: a slice keeps its SQL and its append-only migrations in its `*-store.ts` and
 * narrows `db` to its own tables with `tables<T>()`.
 */
export interface Store {
  /** The same connection, seen with the tables of one slice. */
  tables<T>(): Kysely<T>;
  /** The connection itself, for what must be synchronous; SQLite is. */
  readonly raw: Database.Database;
  /**
   * True when the file cannot be written or is damaged. What could be read is then held in memory: people can log in and look,
   * nothing that is written lasts, and whatever would change an engine is refused.
   */
  readonly readOnly: boolean;
  /** Whether a store that is not read-only can be written at present. */
  readonly writing: Writing;
  /**
   * Called first by whatever writes a record that must last. `what` begins the sentence, such as "The settings cannot be changed".
   * Throws `read_only`, and `disk_full` while the disk is known to be full.
   */
  requireWritable(what: string): void;
  close(): Promise<void>;
}

/** Named `<yyyy-mm-dd>-<slice>-<n>`; a migration that has shipped is never changed. */
export type Migrations = Readonly<Record<string, Migration>>;

/** Opens the SQLite file with WAL and `synchronous=FULL`: a record that was written survives a power cut. */
export async function openStore(file: string, options: { readonly migrations: Migrations }): Promise<Store> {
  const raw = new Database(file, { timeout: 5000 });
  try {
    raw.pragma('journal_mode = WAL');
    raw.pragma('synchronous = FULL');
  } catch (error) {
    raw.close();
    throw error;
  }
  return prepare(raw, { ...options, readOnly: false, file });
}

/** A store in memory, filled with `contents` where there are some: what a damaged or read-only file is shown through. */
export async function openMemoryStore(
  contents: Buffer | undefined,
  options: { readonly migrations: Migrations; readonly readOnly: boolean },
): Promise<Store> {
  const raw = contents === undefined ? new Database(':memory:') : new Database(withoutWal(contents));
  return prepare(raw, options);
}

/** Bytes 18 and 19 of the header say WAL, which memory cannot have (https://sqlite.org/fileformat.html#the_database_header). */
function withoutWal(contents: Buffer): Buffer {
  const copy = Buffer.from(contents);
  copy.set([1, 1], 18);
  return copy;
}

async function prepare(
  raw: Database.Database,
  { migrations, readOnly, file }: { migrations: Migrations; readOnly: boolean; file?: string },
): Promise<Store> {
  raw.pragma('foreign_keys = ON');
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: raw }) });
  try {
    await migrate(db, migrations);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const writing = createWriting(raw, { file, readOnly });
  return {
    tables: <T>() => db as Kysely<T>,
    raw,
    readOnly,
    writing,
    requireWritable(what) {
      if (readOnly) throw refusal(what, 'read_only');
      if (writing.trouble === undefined) return;
      writing.look();
      if (writing.trouble !== undefined) throw refusal(what, writing.trouble);
    },
    close: async () => {
      writing.close();
      await db.destroy();
    },
  };
}

function refusal(what: string, trouble: WriteTrouble): Fault {
  if (trouble === 'disk_full')
    return new Fault('disk_full', `${what}: the disk of the data folder is full. Free some space, then try again.`);
  return new Fault('read_only', `${what}: the database cannot be written. The notices say why and what to do.`);
}

async function migrate(db: Kysely<unknown>, migrations: Migrations): Promise<void> {
  const migrator = new Migrator({
    db,
    allowUnorderedMigrations: true,
    provider: { getMigrations: async () => ({ ...migrations }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof Error && error.message.includes('previously executed migration')) {
    throw new Fault(
      'conflict',
      'The database was written by a newer Evenkeel. Start that version, or put a backup of this version back.',
      { cause: error },
    );
  }
  if (error) throw error;
}
