import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { databaseName } from './data-folder.ts';
import { takeLease } from './lease.ts';

const lookAgainMs = 200;

/**
 * Does work while no server has the data folder. Throws `conflict` when one does not let go of it within `patienceMs`, and
 * `read_only` when the folder cannot be written.
 */
export async function withFolderAlone(
  dataDir: string,
  { clock, signal, patienceMs }: { clock: Clock; signal: AbortSignal; patienceMs: number },
  work: () => void,
): Promise<void> {
  for (const deadline = clock.now() + patienceMs; ; await clock.sleep(lookAgainMs, signal)) {
    const lease = takeLease(dataDir);
    if (lease === 'unwritable') throw new Fault('read_only', `The data folder ${dataDir} cannot be written.`);
    if (lease !== 'taken') {
      try {
        work();
        return;
      } finally {
        lease.release();
      }
    }
    if (clock.now() > deadline)
      throw new Fault('conflict', `Another Evenkeel is running on the data folder ${dataDir} and does not end.`);
  }
}

/** Copies the database to `name` beside it; whole and on the disk when it returns. Only while nobody has the folder. */
export function copyDatabase(dataDir: string, name: string): void {
  const file = join(dataDir, databaseName);
  const database = new Database(file, { fileMustExist: true });
  try {
    database.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
  place(file, join(dataDir, name));
}

/**
 * Puts the copy back if the database was changed to another form since (migrations of a newer version), which the version that made the
 * copy could not open. What was written in between is lost then. Only while nobody has the folder. True when it was put back.
 */
export function restoreDatabase(dataDir: string, name: string): boolean {
  const file = join(dataDir, databaseName);
  const copy = join(dataDir, name);
  if (!existsSync(copy) || formOf(file) === formOf(copy)) return false;
  for (const more of ['-wal', '-shm']) rmSync(`${file}${more}`, { force: true });
  place(copy, file);
  return true;
}

/** The migrations that a database has had; undefined when it cannot be read. */
function formOf(file: string): string | undefined {
  try {
    const database = new Database(file, { fileMustExist: true });
    try {
      const rows = database.prepare<[], { name: string }>('SELECT name FROM kysely_migration ORDER BY name').all();
      return rows.map(({ name }) => name).join(' ');
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

function place(from: string, to: string): void {
  const part = `${to}.part`;
  copyFileSync(from, part);
  const descriptor = openSync(part, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(part, to);
}
