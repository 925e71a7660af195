import { join } from 'node:path';
import Database from 'better-sqlite3';

export interface Lease {
  release(): void;
}

/**
 * The right to use a data folder, for one process at a time. It is an exclusive lock on `server.lock`, held by the operating system:
 * it ends with the process however that ends, so a killed server never blocks its successor.
 * `taken` when another process holds it; `unwritable` when the folder cannot be written at all.
 */
export function takeLease(dataDir: string): Lease | 'taken' | 'unwritable' {
  try {
    const database = new Database(join(dataDir, 'server.lock'), { timeout: 0 });
    try {
      database.pragma('journal_mode = DELETE');
      database.pragma('locking_mode = EXCLUSIVE');
      database.exec('BEGIN EXCLUSIVE');
      return { release: () => database.close() };
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return code.startsWith('SQLITE_BUSY') ? 'taken' : 'unwritable';
  }
}
