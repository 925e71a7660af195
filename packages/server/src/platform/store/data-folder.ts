import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemNotice } from '@evenkeel/contract';
import Database from 'better-sqlite3';
import { describeError, Fault } from '../fault.ts';
import { takeLease } from './lease.ts';
import { salvage } from './salvage.ts';
import { type Migrations, openMemoryStore, openStore, type Store } from './store.ts';

/** An opened data folder. */
export interface DataFolder {
  readonly path: string;
  readonly store: Store;
  /** There was no database before: keys may be made now, and only now. */
  readonly fresh: boolean;
  /** What people have to know about the database, undefined when all is well. */
  readonly notice: SystemNotice | undefined;
  close(): Promise<void>;
}

export const databaseName = 'evenkeel.db';

/**
 * Opens `<dataDir>/evenkeel.db`. A damaged, unreadable or read-only database does not stop the start: what can be read is shown,
 * nothing can be changed, and the notice says what to do. Throws `conflict` when another server uses the folder.
 */
export async function openDataFolder(dataDir: string, migrations: Migrations): Promise<DataFolder> {
  makeFolder(dataDir);
  const lease = takeLease(dataDir);
  if (lease === 'taken') {
    throw new Fault(
      'conflict',
      `Another Evenkeel is running on the data folder ${dataDir}. Stop it, or name another folder with EVENKEEL_DATA_DIR.`,
    );
  }
  const file = join(dataDir, databaseName);
  const fresh = !existsSync(file);
  try {
    const { store, notice } = await openFile(file, lease === 'unwritable' || !writable(file, fresh), migrations);
    const close = async () => {
      await store.close();
      if (lease !== 'unwritable') lease.release();
    };
    return { path: dataDir, store, fresh, notice, close };
  } catch (error) {
    if (lease !== 'unwritable') lease.release();
    throw error;
  }
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Fault(
      'bad_input',
      `The data folder ${dataDir} cannot be made: ${describeError(error)}. Name another one with EVENKEEL_DATA_DIR.`,
      {
        cause: error,
      },
    );
  }
}

function writable(file: string, fresh: boolean): boolean {
  if (fresh) return true;
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function openFile(
  file: string,
  readOnly: boolean,
  migrations: Migrations,
): Promise<Pick<DataFolder, 'store' | 'notice'>> {
  if (readOnly) {
    return {
      store: await openMemoryStore(contentsOf(file), { migrations, readOnly: true }),
      notice: readOnlyNotice(file),
    };
  }
  const damage = damageOf(file);
  if (damage === undefined) return { store: await openStore(file, { migrations }), notice: undefined };
  return { store: await openSalvaged(file, migrations), notice: damageNotice(file, damage) };
}

/** A sentence about what is wrong with the file, undefined when it is sound or not there yet. */
function damageOf(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const database = new Database(file, { timeout: 5000 });
    try {
      const [first] = database.pragma('integrity_check(1)') as { integrity_check: string }[];
      return first?.integrity_check === 'ok'
        ? undefined
        : (first?.integrity_check ?? 'the integrity check gave no answer');
    } finally {
      database.close();
    }
  } catch (error) {
    return describeError(error);
  }
}

/** The bytes of the database: with its write-ahead log where that can be read, else the file alone. */
function contentsOf(file: string): Buffer | undefined {
  try {
    const database = new Database(file, { readonly: true });
    try {
      return database.serialize();
    } finally {
      database.close();
    }
  } catch {
    return fileAlone(file);
  }
}

function fileAlone(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Empty tables of this version, filled with what can be read. */
async function openSalvaged(file: string, migrations: Migrations): Promise<Store> {
  const store = await openMemoryStore(undefined, { migrations, readOnly: true });
  salvage(file, store.raw);
  return store;
}

function readOnlyNotice(file: string): SystemNotice {
  return {
    code: 'database_read_only',
    severity: 'error',
    text: `The database ${file} cannot be written. You see its last state; nothing can be changed and no update runs.`,
    remedy: 'Give the user that runs Evenkeel write access to the data folder and its files, then restart.',
  };
}

function damageNotice(file: string, damage: string): SystemNotice {
  return {
    code: 'database_damaged',
    severity: 'error',
    text: `The database ${file} is damaged (${damage}). You see what can still be read; nothing can be changed and no update runs.`,
    remedy: `Stop Evenkeel, put a backup of ${databaseName} back (delete ${databaseName}-wal and ${databaseName}-shm beside it), and start again.`,
  };
}
