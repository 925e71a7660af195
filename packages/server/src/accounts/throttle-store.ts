import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Store } from '../platform/store/store.ts';

export interface ThrottleRow {
  readonly bucket: string;
  readonly failures: number;
  readonly blocked_until: number;
  readonly updated_at: number;
}

/** Failed attempts by bucket: a restart does not forget them. The table is made by `accounts-store.ts`. */
export interface ThrottleStore {
  get(bucket: string): ThrottleRow | undefined;
  put(rows: readonly ThrottleRow[]): void;
  prune(before: number): void;
}

export function createThrottleStore({ raw }: Store): ThrottleStore {
  const get = raw.prepare<[string], ThrottleRow>('SELECT * FROM login_throttle WHERE bucket = ?');
  const put = raw.prepare(
    `INSERT INTO login_throttle (bucket, failures, blocked_until, updated_at)
     VALUES (@bucket, @failures, @blocked_until, @updated_at)
     ON CONFLICT (bucket) DO UPDATE SET failures = excluded.failures, blocked_until = excluded.blocked_until,
       updated_at = excluded.updated_at`,
  );
  const prune = raw.prepare('DELETE FROM login_throttle WHERE updated_at < ?');
  return {
    get: (bucket) => get.get(bucket),
    put: (rows) => {
      withDatabaseFaults(() =>
        raw.transaction(() => {
          for (const row of rows) put.run(row);
        })(),
      );
    },
    prune: (before) => {
      withDatabaseFaults(() => prune.run(before));
    },
  };
}
