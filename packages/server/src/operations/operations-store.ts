import type { Operation, OperationLogLine } from '@evenkeel/contract';
import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Migrations, Store } from '../platform/store/store.ts';

export const operationsMigrations: Migrations = {
  '2026-11-25-operations-1': {
    async up(db) {
      await db.schema
        .createTable('operations')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('number', 'bigint', (column) => column.notNull().unique())
        .addColumn('finished', 'integer', (column) => column.notNull())
        .addColumn('record', 'text', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('operations_finished').on('operations').columns(['finished', 'number']).execute();
      await db.schema
        .createTable('operation_log')
        .addColumn('operation', 'text', (column) => column.notNull().references('operations.id').onDelete('cascade'))
        .addColumn('number', 'integer', (column) => column.notNull())
        .addColumn('line', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('operation_log_key', ['operation', 'number'])
        .execute();
    },
  },
};

/** The durable side of operations. Every write is on disk when it returns. */
export interface OperationsStore {
  insert(operation: Operation): void;
  update(operation: Operation): void;
  get(id: string): Operation | undefined;
  /** The newest, oldest of them first. */
  newest(count: number): Operation[];
  unfinished(): Operation[];
  appendLog(id: string, first: number, lines: readonly OperationLogLine[]): void;
  log(id: string): OperationLogLine[];
  /** All but the newest `count`, oldest first. */
  older(count: number): Operation[];
  /** Forgets finished operations beyond the newest `count`; how many. */
  prune(count: number): number;
}

export function createOperationsStore({ raw }: Store): OperationsStore {
  const read = (row: { record: string }) => JSON.parse(row.record) as Operation;
  const insert = raw.prepare(
    'INSERT INTO operations (id, number, finished, record) VALUES (?, (SELECT COALESCE(MAX(number), 0) + 1 FROM operations), ?, ?)',
  );
  const update = raw.prepare('UPDATE operations SET finished = ?, record = ? WHERE id = ?');
  const get = raw.prepare<[string], { record: string }>('SELECT record FROM operations WHERE id = ?');
  const newest = raw.prepare<[number], { record: string }>(
    'SELECT record FROM (SELECT record, number FROM operations ORDER BY number DESC LIMIT ?) ORDER BY number',
  );
  const older = raw.prepare<[number], { record: string }>(
    'SELECT record FROM (SELECT record, number FROM operations ORDER BY number DESC LIMIT -1 OFFSET ?) ORDER BY number',
  );
  const unfinished = raw.prepare<[], { record: string }>(
    'SELECT record FROM operations WHERE finished = 0 ORDER BY number',
  );
  const addLine = raw.prepare('INSERT INTO operation_log (operation, number, line) VALUES (?, ?, ?)');
  const lines = raw.prepare<[string], { line: string }>(
    'SELECT line FROM operation_log WHERE operation = ? ORDER BY number',
  );
  const prune = raw.prepare(
    'DELETE FROM operations WHERE finished = 1 AND number <= (SELECT MAX(number) FROM operations) - ?',
  );
  return {
    insert: (operation) => {
      withDatabaseFaults(() => insert.run(operation.id, isFinished(operation) ? 1 : 0, JSON.stringify(operation)));
    },
    update: (operation) => {
      withDatabaseFaults(() => update.run(isFinished(operation) ? 1 : 0, JSON.stringify(operation), operation.id));
    },
    get: (id) => {
      const row = get.get(id);
      return row && read(row);
    },
    newest: (count) => newest.all(count).map(read),
    older: (count) => older.all(count).map(read),
    unfinished: () => unfinished.all().map(read),
    appendLog: (id, first, added) => {
      withDatabaseFaults(() =>
        raw.transaction(() => {
          for (const [index, line] of added.entries()) addLine.run(id, first + index, JSON.stringify(line));
        })(),
      );
    },
    log: (id) => lines.all(id).map(({ line }) => JSON.parse(line) as OperationLogLine),
    prune: (count) => withDatabaseFaults(() => prune.run(count).changes),
  };
}

export function isFinished({ state }: Operation): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}
