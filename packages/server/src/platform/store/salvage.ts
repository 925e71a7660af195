import Database from 'better-sqlite3';

/**
 * Copies into `target`, which has its tables already, every row of a damaged file that can still be read: from the beginning up
 * to the damage, and from the end back to it. Indexes of the file are not looked at.
 */
export function salvage(file: string, target: Database.Database): void {
  let source: Database.Database;
  try {
    source = new Database(file, { readonly: true });
  } catch {
    return;
  }
  try {
    target.pragma('foreign_keys = OFF');
    for (const table of tablesOf(target)) copyRows(source, target, table);
  } finally {
    target.pragma('foreign_keys = ON');
    source.close();
  }
}

/** Without what the migrations and SQLite itself have written. */
function tablesOf(database: Database.Database): string[] {
  return database
    .prepare<[], { name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'kysely_%'",
    )
    .all()
    .map(({ name }) => name);
}

function copyRows(source: Database.Database, target: Database.Database, table: string): void {
  const columns = target
    .prepare<[string], { name: string }>('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map(({ name }) => `"${name}"`);
  const insert = target.prepare(
    `INSERT OR IGNORE INTO "${table}" (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  for (const order of ['ASC', 'DESC']) {
    try {
      const rows = source
        .prepare<[], unknown[]>(`SELECT ${columns.join(', ')} FROM "${table}" NOT INDEXED ORDER BY rowid ${order}`)
        .raw();
      for (const row of rows.iterate()) insert.run(...row);
      return;
    } catch {
      // The damage begins here: the other direction may reach what lies behind it.
    }
  }
}
