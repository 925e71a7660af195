import { withDatabaseFaults } from '../store/database-fault.ts';
import type { Migrations, Store } from '../store/store.ts';

export const sealingKeyMigrations: Migrations = {
  '2026-11-25-crypto-1': {
    async up(db) {
      await db.schema
        .createTable('sealing_key')
        .addColumn('only', 'integer', (column) => column.primaryKey())
        .addColumn('key_id', 'text', (column) => column.notNull())
        .execute();
    },
  },
};

/** Id of the key that this database was last sealed with; undefined while nothing has been sealed. */
export function knownKeyId({ raw }: Store): string | undefined {
  return raw.prepare<[], { key_id: string }>('SELECT key_id FROM sealing_key WHERE only = 1').get()?.key_id;
}

export function rememberKeyId({ raw }: Store, keyId: string): void {
  withDatabaseFaults(() =>
    raw
      .prepare(
        'INSERT INTO sealing_key (only, key_id) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET key_id = excluded.key_id',
      )
      .run(keyId),
  );
}
