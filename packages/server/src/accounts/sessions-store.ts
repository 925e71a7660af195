import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Store } from '../platform/store/store.ts';

export interface SessionRow {
  readonly id: string;
  readonly user_id: string;
  readonly epoch: number;
  readonly kind: 'browser' | 'bearer';
  readonly address: string;
  readonly user_agent: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly ended_at: number | null;
}

export interface RefreshRow {
  readonly session_id: string;
  readonly used_at: number | null;
}

/** Sessions and their refresh tokens; of a token only the SHA-256 is stored. The tables are made by `accounts-store.ts`. */
export interface SessionsStore {
  insert(session: SessionRow, tokenHash: string): void;
  get(id: string): SessionRow | undefined;
  refreshToken(hash: string): RefreshRow | undefined;
  /** Marks one token as used and adds its successor; false when it was used meanwhile. */
  rotate(hash: string, successor: string, session: string, now: number): boolean;
  /** False when it has ended already. */
  end(id: string, now: number): boolean;
  /** The sessions of a user beyond the newest `count`. */
  surplus(user: string, count: number): string[];
  /** Has this user been signed in from this address since? */
  knownFrom(user: string, address: string, since: number): boolean;
  /** Forgets sessions that ended or expired before. */
  prune(before: number): void;
}

export function createSessionsStore({ raw }: Store): SessionsStore {
  const insert = raw.prepare(
    `INSERT INTO sessions (id, user_id, epoch, kind, address, user_agent, created_at, expires_at, ended_at)
     VALUES (@id, @user_id, @epoch, @kind, @address, @user_agent, @created_at, @expires_at, @ended_at)`,
  );
  const addToken = raw.prepare('INSERT INTO refresh_tokens (hash, session_id, used_at) VALUES (?, ?, NULL)');
  const get = raw.prepare<[string], SessionRow>('SELECT * FROM sessions WHERE id = ?');
  const token = raw.prepare<[string], RefreshRow>('SELECT session_id, used_at FROM refresh_tokens WHERE hash = ?');
  const use = raw.prepare('UPDATE refresh_tokens SET used_at = ? WHERE hash = ? AND used_at IS NULL');
  const end = raw.prepare('UPDATE sessions SET ended_at = ? WHERE id = ? AND ended_at IS NULL');
  const surplus = raw.prepare<[string, number], { id: string }>(
    'SELECT id FROM sessions WHERE user_id = ? AND ended_at IS NULL ORDER BY created_at DESC, id LIMIT -1 OFFSET ?',
  );
  const known = raw.prepare('SELECT 1 FROM sessions WHERE user_id = ? AND address = ? AND created_at > ? LIMIT 1');
  const prune = raw.prepare('DELETE FROM sessions WHERE expires_at < @before OR ended_at < @before');
  return {
    insert: (session, tokenHash) => {
      withDatabaseFaults(() =>
        raw.transaction(() => {
          insert.run(session);
          addToken.run(tokenHash, session.id);
        })(),
      );
    },
    get: (id) => get.get(id),
    refreshToken: (hash) => token.get(hash),
    rotate: (hash, successor, session, now) =>
      withDatabaseFaults(() =>
        raw.transaction(() => {
          if (use.run(now, hash).changes !== 1) return false;
          addToken.run(successor, session);
          return true;
        })(),
      ),
    end: (id, now) => withDatabaseFaults(() => end.run(now, id).changes === 1),
    surplus: (user, count) => surplus.all(user, count).map((row) => row.id),
    knownFrom: (user, address, since) => known.get(user, address, since) !== undefined,
    prune: (before) => {
      withDatabaseFaults(() => prune.run({ before }));
    },
  };
}
