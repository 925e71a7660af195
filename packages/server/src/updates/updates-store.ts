import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Migrations, Store } from '../platform/store/store.ts';
import type { ReferenceAnswer, RemoteImage } from './observed.ts';

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
};

/** A digest of a tag, and when it was first seen there for the platform (epoch milliseconds). */
export interface Sighting {
  readonly repository: string;
  readonly tag: string;
  readonly platform: string;
  readonly digest: string;
  readonly firstSeenAt: number;
}

export interface Quarantined {
  readonly host: string;
  readonly name: string;
  readonly digest: string;
  readonly candidate: string;
  readonly reason: string;
  readonly since: number;
}

export interface Equality {
  readonly repository: string;
  readonly digest: string;
  readonly imageId: string;
}

export interface StoredUpdates {
  readonly answers: readonly { readonly reference: string; readonly answer: ReferenceAnswer }[];
  readonly images: readonly { readonly repository: string; readonly platform: string; readonly image: RemoteImage }[];
  readonly sightings: readonly Sighting[];
  readonly quarantine: readonly Quarantined[];
  readonly equals: readonly Equality[];
}

/** What outlasts a restart. Durable on return; writes throw `read_only` and `disk_full`. */
export interface UpdatesStore {
  load(): StoredUpdates;
  putAnswer(reference: string, answer: ReferenceAnswer): void;
  putImage(repository: string, platform: string, image: RemoteImage, now: number): void;
  putSighting(sighting: Sighting): void;
  putQuarantine(entry: Quarantined): void;
  putEqual(equality: Equality): void;
  /** Forgets answers and images that nobody has asked for since `before`. Sightings stay: they are the history. */
  prune(before: number): void;
}

export function createUpdatesStore(store: Store): UpdatesStore {
  const { raw } = store;
  const run = (sql: string, ...values: (string | number)[]) =>
    withDatabaseFaults(() => raw.prepare(sql).run(...values));
  return {
    load() {
      const answers = raw
        .prepare<[], { reference: string; answer: string }>('SELECT reference, answer FROM update_answers')
        .all();
      const images = raw
        .prepare<[], { repository: string; platform: string; image: string }>(
          'SELECT repository, platform, image FROM update_images',
        )
        .all();
      return {
        answers: answers.map(({ reference, answer }) => ({ reference, answer: JSON.parse(answer) })),
        images: images.map(({ image, ...rest }) => ({ ...rest, image: JSON.parse(image) })),
        sightings: raw
          .prepare<[], Sighting>(
            'SELECT repository, tag, platform, digest, first_seen_at AS firstSeenAt FROM update_sightings ORDER BY first_seen_at',
          )
          .all(),
        quarantine: raw.prepare<[], Quarantined>('SELECT * FROM update_quarantine').all(),
        equals: raw.prepare<[], Equality>('SELECT repository, digest, image_id AS imageId FROM update_equals').all(),
      };
    },
    putAnswer(reference, answer) {
      run(
        `INSERT INTO update_answers (reference, answer, asked_at) VALUES (?, ?, ?)
         ON CONFLICT (reference) DO UPDATE SET answer = excluded.answer, asked_at = excluded.asked_at`,
        reference,
        JSON.stringify(answer),
        answer.askedAt ?? 0,
      );
    },
    putImage(repository, platform, image, now) {
      run(
        `INSERT INTO update_images (repository, digest, platform, image, stored_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (repository, digest, platform) DO UPDATE SET image = excluded.image, stored_at = excluded.stored_at`,
        repository,
        image.digest,
        platform,
        JSON.stringify(image),
        now,
      );
    },
    putSighting({ repository, tag, platform, digest, firstSeenAt }) {
      run(
        `INSERT INTO update_sightings (repository, tag, platform, digest, first_seen_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (repository, tag, platform, digest) DO NOTHING`,
        repository,
        tag,
        platform,
        digest,
        firstSeenAt,
      );
    },
    putQuarantine({ host, name, digest, candidate, reason, since }) {
      run(
        `INSERT INTO update_quarantine (host, name, digest, candidate, reason, since) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (host, name, digest) DO UPDATE SET candidate = excluded.candidate, reason = excluded.reason,
           since = excluded.since`,
        host,
        name,
        digest,
        candidate,
        reason,
        since,
      );
    },
    putEqual({ repository, digest, imageId }) {
      run(
        `INSERT INTO update_equals (repository, digest, image_id) VALUES (?, ?, ?)
         ON CONFLICT (repository, digest, image_id) DO NOTHING`,
        repository,
        digest,
        imageId,
      );
    },
    prune(before) {
      run('DELETE FROM update_answers WHERE asked_at < ?', before);
      run(
        `DELETE FROM update_images WHERE stored_at < ? AND NOT EXISTS
           (SELECT 1 FROM update_answers WHERE instr(update_answers.answer, update_images.digest) > 0)`,
        before,
      );
    },
  };
}
