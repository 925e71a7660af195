import type { Writing } from './writing.ts';

/**
 * Rows that count before they are on disk: while the disk is full they are kept in memory, so that what they stand for goes on,
 * and written together as soon as a write gets through. Reading looks here first, then into the table.
 */
export interface Unwritten<Row> {
  get(key: string): Row | undefined;
  /** In force at once; on disk too where that is possible. Errors that are none of the disk are thrown. */
  put(rows: ReadonlyMap<string, Row>): void;
  /** Writes what is left. Throws where that is not possible. */
  flush(): void;
}

export function createUnwritten<Row>(parts: {
  writing: Writing;
  /** All of them or none. */
  write: (rows: readonly Row[]) => void;
  /** Beyond this many the oldest are forgotten: memory is not endless either. */
  most: number;
}): Unwritten<Row> {
  const rows = new Map<string, Row>();

  function flush(): void {
    if (rows.size === 0) return;
    parts.write([...rows.values()]);
    rows.clear();
  }

  return {
    get: (key) => rows.get(key),
    put(added) {
      for (const [key, row] of added) {
        rows.delete(key);
        rows.set(key, row);
      }
      try {
        flush();
      } catch (error) {
        if (!parts.writing.report(error)) {
          for (const key of added.keys()) rows.delete(key);
          throw error;
        }
        for (const key of [...rows.keys()].slice(0, Math.max(0, rows.size - parts.most))) rows.delete(key);
      }
    },
    flush,
  };
}
