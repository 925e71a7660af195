import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Store } from '../platform/store/store.ts';
import { createUnwritten } from '../platform/store/unwritten.ts';

export interface SessionRow {
  readonly id: string;
  readonly user_id: string;
  readonly epoch: number;
  readonly kind: 'browser' | 'bearer';
  readonly address: string;
  /** The network of the address: where a device is known from. */
  readonly network: string;
  readonly user_agent: string;
  readonly created_at: number;
  readonly refreshed_at: number;
  readonly expires_at: number;
  readonly ended_at: number | null;
}

export interface RefreshRow {
  readonly hash: string;
  readonly session_id: string;
  readonly used_at: number | null;
}

/**
 * Sessions and their refresh tokens; of a token only the SHA-256 is stored. What is saved counts at once, also while the disk is
 * full. The tables are made by `accounts-store.ts`.
 */
export interface SessionsStore {
  get(id: string): SessionRow | undefined;
  refreshToken(hash: string): RefreshRow | undefined;
  /** All of it or nothing. */
  save(changed: { readonly sessions: readonly SessionRow[]; readonly tokens: readonly RefreshRow[] }): void;
  /** Writes what could not be written before; throws where that is still so. */
  flush(): void;
  /** The sessions of a user and kind beyond the `count` that were used last. */
  surplus(user: string, kind: SessionRow['kind'], count: number): string[];
  /** Has this user been signed in from this network since? */
  knownFrom(user: string, network: string, since: number): boolean;
  /** Forgets sessions that ended or expired before. */
  prune(before: number): void;
}

/** While the disk is full, so many sessions and tokens are kept in memory. */
const mostUnwritten = 5000;

type Row = { readonly session: SessionRow } | { readonly token: RefreshRow };

export function createSessionsStore({ raw, writing }: Store): SessionsStore {
  const putSession = raw.prepare(
    `INSERT INTO sessions
       (id, user_id, epoch, kind, address, network, user_agent, created_at, refreshed_at, expires_at, ended_at)
     VALUES
       (@id, @user_id, @epoch, @kind, @address, @network, @user_agent, @created_at, @refreshed_at, @expires_at, @ended_at)
     ON CONFLICT (id) DO UPDATE SET
       epoch = excluded.epoch, refreshed_at = excluded.refreshed_at, ended_at = excluded.ended_at`,
  );
  const putToken = raw.prepare(
    `INSERT INTO refresh_tokens (hash, session_id, used_at) VALUES (@hash, @session_id, @used_at)
     ON CONFLICT (hash) DO UPDATE SET used_at = excluded.used_at`,
  );
  const get = raw.prepare<[string], SessionRow>('SELECT * FROM sessions WHERE id = ?');
  const token = raw.prepare<[string], RefreshRow>('SELECT * FROM refresh_tokens WHERE hash = ?');
  const surplus = raw.prepare<[string, string, number], { id: string }>(
    `SELECT id FROM sessions WHERE user_id = ? AND kind = ? AND ended_at IS NULL
     ORDER BY MAX(created_at, refreshed_at) DESC, id LIMIT -1 OFFSET ?`,
  );
  const known = raw.prepare('SELECT 1 FROM sessions WHERE user_id = ? AND network = ? AND created_at > ? LIMIT 1');
  const prune = raw.prepare('DELETE FROM sessions WHERE expires_at < @before OR ended_at < @before');

  const unwritten = createUnwritten<Row>({
    writing,
    most: mostUnwritten,
    write: (rows) =>
      withDatabaseFaults(() =>
        raw.transaction(() => {
          // A token refers to its session, which has to be there first.
          for (const row of rows) if ('session' in row) putSession.run(row.session);
          for (const row of rows) if ('token' in row) putToken.run(row.token);
        })(),
      ),
  });

  return {
    get(id) {
      const row = unwritten.get(`session/${id}`);
      return row !== undefined && 'session' in row ? row.session : get.get(id);
    },
    refreshToken(hash) {
      const row = unwritten.get(`token/${hash}`);
      return row !== undefined && 'token' in row ? row.token : token.get(hash);
    },
    save({ sessions, tokens }) {
      unwritten.put(
        new Map<string, Row>([
          ...sessions.map((session) => [`session/${session.id}`, { session }] as const),
          ...tokens.map((one) => [`token/${one.hash}`, { token: one }] as const),
        ]),
      );
    },
    flush: unwritten.flush,
    surplus: (user, kind, count) => surplus.all(user, kind, count).map((row) => row.id),
    knownFrom: (user, network, since) => known.get(user, network, since) !== undefined,
    prune: (before) => {
      withDatabaseFaults(() => prune.run({ before }));
    },
  };
}
