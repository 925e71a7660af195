import { sql } from 'kysely';
import type { Migrations } from '../platform/store/store.ts';

export const updatesMigrations: Migrations = {
  '2026-11-25-updates-1': {
    async up(db) {
      await db.schema
        .createTable('update_answers')
        .addColumn('reference', 'text', (column) => column.primaryKey())
        .addColumn('answer', 'text', (column) => column.notNull())
        .addColumn('asked_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('update_images')
        .addColumn('repository', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('platform', 'text', (column) => column.notNull())
        .addColumn('image', 'text', (column) => column.notNull())
        .addColumn('stored_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('update_images_key', ['repository', 'digest', 'platform'])
        .execute();
      await db.schema
        .createTable('update_sightings')
        .addColumn('repository', 'text', (column) => column.notNull())
        .addColumn('tag', 'text', (column) => column.notNull())
        .addColumn('platform', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('first_seen_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('update_sightings_key', ['repository', 'tag', 'platform', 'digest'])
        .execute();
      await db.schema
        .createTable('update_quarantine')
        .addColumn('host', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('candidate', 'text', (column) => column.notNull())
        .addColumn('reason', 'text', (column) => column.notNull())
        .addColumn('since', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('update_quarantine_key', ['host', 'name', 'digest'])
        .execute();
      await db.schema
        .createTable('update_equals')
        .addColumn('repository', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('image_id', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('update_equals_key', ['repository', 'digest', 'image_id'])
        .execute();
    },
  },
  '2026-11-25-updates-2': {
    /** When a tag began to name a digest the last time, and when it was last seen to: for the order, and to forget. */
    async up(db) {
      await db.schema
        .alterTable('update_sightings')
        .addColumn('since', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute();
      await db.schema
        .alterTable('update_sightings')
        .addColumn('seen_at', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute();
      await sql`UPDATE update_sightings SET since = first_seen_at, seen_at = first_seen_at`.execute(db);
      await db.schema
        .alterTable('update_equals')
        .addColumn('seen_at', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute();
      await sql`UPDATE update_equals SET seen_at = (SELECT coalesce(max(asked_at), 0) FROM update_answers)`.execute(db);
    },
  },
};
