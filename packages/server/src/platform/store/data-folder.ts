import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemNotice } from '@evenkeel/contract';
import Database from 'better-sqlite3';
import { describeError, Fault } from '../fault.ts';
import { takeLease } from './lease.ts';
import { salvage } from './salvage.ts';
import { type Migrations, openMemoryStore, openStore, type Store } from './store.ts';
import { troubleAt } from './writing.ts';

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
 * Opens `<dataDir>/evenkeel.db`. A damaged, unreadable or read-only database does not stop the start, nor does a full disk: what
 * can be read is shown, nothing can be changed, and the notice says what to do. Throws `conflict` when another server or program
 * uses the folder.
 */
export async function openDataFolder(
  dataDir: string,
  migrations: Migrations,
  { busyMilliseconds = 5000 } = {},
): Promise<DataFolder> {
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
  const release = () => {
    if (lease !== 'unwritable') lease.release();
  };
  try {
    const readOnly = lease === 'unwritable' || !writable(file, fresh);
    const opened = readOnly
      ? { store: await openCopy(file, migrations), notice: readOnlyNotice(file) }
      : await openFile(file, migrations, busyMilliseconds);
    keepFromOthers(dataDir);
    const close = async () => {
      await opened.store.close();
      release();
    };
    return { path: dataDir, ...opened, fresh, close };
  } catch (error) {
    release();
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

type Opened = Pick<DataFolder, 'store' | 'notice'>;

async function openFile(file: string, migrations: Migrations, busyMilliseconds: number): Promise<Opened> {
  const fresh = !existsSync(file);
  try {
    const damage = fresh ? undefined : damageOf(file, busyMilliseconds);
    if (damage === undefined) return { store: await openStore(file, { migrations }), notice: undefined };
    return { store: await openSalvaged(file, migrations), notice: damageNotice(file, damage) };
  } catch (error) {
    const code = codeOf(error);
    if (!code.startsWith('SQLITE_')) throw error;
    if (/^SQLITE_(BUSY|LOCKED)/.test(code)) throw heldByAnother(file);
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code))
      return { store: await openSalvaged(file, migrations), notice: damageNotice(file, describeError(error)) };
    const full = code === 'SQLITE_FULL' || troubleAt(file) === 'disk_full';
    if (full && fresh)
      throw new Fault('disk_full', `The disk of ${file} is full. Free some space, then start again.`, { cause: error });
    const notice = full ? fullNotice(file) : unreachableNotice(file, `${describeError(error)}, ${code}`);
    return { store: await openCopy(file, migrations), notice };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function heldByAnother(file: string): Fault {
  return new Fault(
    'conflict',
    `Another program uses the database ${file} and does not let go of it. End it (a backup, sqlite3), then start again.`,
  );
}

/** A sentence about what is wrong inside the file, undefined when it is sound. Throws what keeps it from being looked at. */
function damageOf(file: string, busyMilliseconds: number): string | undefined {
  const database = new Database(file, { timeout: busyMilliseconds });
  try {
    const [first] = database.pragma('integrity_check(1)') as { integrity_check: string }[];
    return first?.integrity_check === 'ok'
      ? undefined
      : (first?.integrity_check ?? 'the integrity check gave no answer');
  } finally {
    database.close();
  }
}

/** The files hold secrets and who did what: in a folder that was there before, they get what a new folder would have given them. */
function keepFromOthers(dataDir: string): void {
  for (const name of [databaseName, `${databaseName}-wal`, `${databaseName}-shm`, 'server.lock']) {
    const path = join(dataDir, name);
    try {
      const mode = statSync(path, { throwIfNoEntry: false })?.mode;
      if (mode !== undefined && (mode & 0o077) !== 0) chmodSync(path, 0o600);
    } catch {
      // Not ours to change: a read-only disk, or a file of another user.
    }
  }
}

/** What there is, held in memory. */
function openCopy(file: string, migrations: Migrations): Promise<Store> {
  return openMemoryStore(contentsOf(file), { migrations, readOnly: true });
}

/**
 * The bytes of the database: with its write-ahead log where that can be read, else the file alone. A log can be read without its
 * index file, for which a full disk has no room, by whoever locks the file for himself (https://sqlite.org/wal.html#noshm).
 */
function contentsOf(file: string): Buffer | undefined {
  for (const mode of ['shared', 'alone'] as const) {
    try {
      const database = new Database(file, { readonly: mode === 'shared', fileMustExist: true });
      try {
        if (mode === 'alone') database.pragma('locking_mode = EXCLUSIVE');
        database.prepare('SELECT COUNT(*) FROM sqlite_schema').get();
        return database.serialize();
      } finally {
        database.close();
      }
    } catch {
      // The next way may be open.
    }
  }
  return fileAlone(file);
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

function fullNotice(file: string): SystemNotice {
  return {
    code: 'database_full',
    severity: 'error',
    text: `The disk of the database ${file} is full. You see its last state; nothing can be changed and no update runs.`,
    remedy: 'Free some space, then restart Evenkeel.',
  };
}

function unreachableNotice(file: string, reason: string): SystemNotice {
  return {
    code: 'database_unreachable',
    severity: 'error',
    text: `The database ${file} cannot be opened (${reason}). You see what could be read; nothing can be changed and no update runs.`,
    remedy: 'Look at the disk and at the limits of open files, then restart Evenkeel. The file itself was not touched.',
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
