import Database from 'better-sqlite3';
import { Fault } from '../fault.ts';

/** What an error of the database means to people; undefined when it is not one that they can act on. */
export function storeFault(error: unknown): Fault | undefined {
  if (!(error instanceof Database.SqliteError)) return undefined;
  const { code } = error;
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_WRITE' || code === 'SQLITE_IOERR_SHMSIZE') {
    return new Fault(
      'disk_full',
      'The disk that holds the database is full, so nothing was changed. Free some space and try again.',
      { cause: error },
    );
  }
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_PERM') {
    return new Fault(
      'read_only',
      'The database cannot be written, so nothing was changed. Look at the notices for the reason and what to do.',
      { cause: error },
    );
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new Fault(
      'read_only',
      'The database is damaged, so nothing was changed. Restart the server to have it checked, and restore a copy.',
      { cause: error },
    );
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new Fault(
      'read_only',
      'Another program holds the database, so nothing was changed. End that program and try again.',
      { cause: error },
    );
  }
  return undefined;
}

/** Runs database work; an error that people can act on is thrown as the Fault that says so. */
export function withStoreFaults<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storeFault(error) ?? error;
  }
}
