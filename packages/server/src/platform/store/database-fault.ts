import { Fault } from '../fault.ts';

/** The fault that stands for an error of SQLite, undefined for any other error. Codes: https://sqlite.org/rescode.html */
export function databaseFault(error: unknown): Fault | undefined {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'SQLITE_FULL') {
    return new Fault(
      'disk_full',
      'The disk of the data folder is full, so nothing was changed. Free some space, then try again.',
      {
        cause: error,
      },
    );
  }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new Fault(
      'read_only',
      `Another program holds the database (${code}), so nothing was changed. A backup should copy it with the SQLite backup command.`,
      { cause: error },
    );
  }
  if (/^SQLITE_(READONLY|CANTOPEN|IOERR|PERM|CORRUPT|NOTADB)/.test(code)) {
    return new Fault(
      'read_only',
      `The database cannot be written (${code}), so nothing was changed. Look at the data folder, then restart Evenkeel.`,
      {
        cause: error,
      },
    );
  }
  return undefined;
}

/** Runs work on the database; an error that people can act on is thrown as the fault that says so. */
export function withDatabaseFaults<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw databaseFault(error) ?? error;
  }
}
