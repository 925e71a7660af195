import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Migrations, Store } from '../platform/store/store.ts';

/** One row a setting, so that a default that changes later reaches everybody who has not set it. */
export const settingsMigrations: Migrations = {
  '2026-11-25-settings-1': {
    async up(db) {
      await db.schema
        .createTable('settings')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('value', 'text', (column) => column.notNull())
        .execute();
    },
  },
};

export interface SettingsStore {
  /** Values by name, as they were written. */
  load(): Record<string, unknown>;
  /** All or nothing, durable on return. */
  save(values: Readonly<Record<string, unknown>>): void;
}

export function createSettingsStore(store: Store): SettingsStore {
  return {
    load() {
      const rows = store.raw.prepare<[], { name: string; value: string }>('SELECT name, value FROM settings').all();
      return Object.fromEntries(rows.map(({ name, value }) => [name, JSON.parse(value)]));
    },
    save(values) {
      withDatabaseFaults(() => {
        const put = store.raw.prepare(
          'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        );
        store.raw.transaction(() => {
          for (const [name, value] of Object.entries(values)) put.run(name, JSON.stringify(value));
        })();
      });
    },
  };
}
