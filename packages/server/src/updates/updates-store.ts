import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Store } from '../platform/store/store.ts';
import type { ReferenceAnswer, RemoteImage, SeenDigest } from './observed.ts';

/** A digest of a tag, as the platform saw it (epoch milliseconds). */
export interface Sighting extends SeenDigest {
  readonly repository: string;
  readonly tag: string;
  readonly platform: string;
  /** When it was last seen there, to the day. */
  readonly seenAt: number;
}

export interface Quarantined {
  readonly host: string;
  readonly name: string;
  readonly digest: string;
  readonly candidate: string;
  readonly reason: string;
  readonly since: number;
}

/** A digest under which an image of an engine is known in a repository. */
export interface Equality {
  readonly repository: string;
  readonly digest: string;
  readonly imageId: string;
  /** When it was last seen to be so, to the day (epoch milliseconds). */
  readonly seenAt: number;
}

export interface StoredUpdates {
  readonly answers: readonly { readonly reference: string; readonly answer: ReferenceAnswer }[];
  readonly sightings: readonly Sighting[];
  readonly quarantine: readonly Quarantined[];
  readonly equals: readonly Equality[];
}

/** What outlasts a restart. Durable on return; writes throw `read_only` and `disk_full`. */
export interface UpdatesStore {
  /** All but the images, which are many and large: these are read one by one. */
  load(): StoredUpdates;
  image(repository: string, digest: string, platform: string): RemoteImage | undefined;
  putAnswer(reference: string, answer: ReferenceAnswer): void;
  putImage(repository: string, platform: string, image: RemoteImage, now: number): void;
  putSighting(sighting: Sighting): void;
  putQuarantine(entry: Quarantined): void;
  putEquals(equalities: readonly Equality[]): void;
  /** Forgets what nobody has asked for and no registry or engine has shown since `before`; images that an answer names stay. */
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
      return {
        answers: answers.map(({ reference, answer }) => ({ reference, answer: JSON.parse(answer) })),
        sightings: raw
          .prepare<[], Sighting>(
            `SELECT repository, tag, platform, digest, first_seen_at AS firstSeenAt, since, seen_at AS seenAt
             FROM update_sightings`,
          )
          .all(),
        quarantine: raw.prepare<[], Quarantined>('SELECT * FROM update_quarantine').all(),
        equals: raw
          .prepare<[], Equality>('SELECT repository, digest, image_id AS imageId, seen_at AS seenAt FROM update_equals')
          .all(),
      };
    },
    image(repository, digest, platform) {
      const row = raw
        .prepare<[string, string, string], { image: string }>(
          'SELECT image FROM update_images WHERE repository = ? AND digest = ? AND platform = ?',
        )
        .get(repository, digest, platform);
      return row === undefined ? undefined : { unread: null, ...JSON.parse(row.image) };
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
    putSighting({ repository, tag, platform, digest, firstSeenAt, since, seenAt }) {
      run(
        `INSERT INTO update_sightings (repository, tag, platform, digest, first_seen_at, since, seen_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (repository, tag, platform, digest) DO UPDATE SET since = excluded.since, seen_at = excluded.seen_at`,
        repository,
        tag,
        platform,
        digest,
        firstSeenAt,
        since,
        seenAt,
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
    putEquals(equalities) {
      withDatabaseFaults(() => {
        const put = raw.prepare(
          `INSERT INTO update_equals (repository, digest, image_id, seen_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (repository, digest, image_id) DO UPDATE SET seen_at = excluded.seen_at`,
        );
        raw.transaction(() => {
          for (const { repository, digest, imageId, seenAt } of equalities)
            put.run(repository, digest, imageId, seenAt);
        })();
      });
    },
    prune(before) {
      run('DELETE FROM update_answers WHERE asked_at < ?', before);
      run('DELETE FROM update_sightings WHERE seen_at < ?', before);
      run('DELETE FROM update_equals WHERE seen_at < ?', before);
      run(
        `DELETE FROM update_images WHERE stored_at < ? AND NOT EXISTS
           (SELECT 1 FROM update_answers WHERE instr(update_answers.answer, update_images.digest) > 0)`,
        before,
      );
    },
  };
}
