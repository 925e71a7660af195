import type { User } from '@evenkeel/contract';
import { sql } from 'kysely';
import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Migrations, Store } from '../platform/store/store.ts';

export const accountsMigrations: Migrations = {
  '2026-11-25-accounts-1': {
    async up(db) {
      await db.schema
        .createTable('users')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('username', 'text', (column) => column.notNull())
        .addColumn('username_key', 'text', (column) => column.notNull().unique())
        .addColumn('email', 'text')
        .addColumn('email_key', 'text', (column) => column.unique())
        .addColumn('password', 'text', (column) => column.notNull())
        .addColumn('role', 'text', (column) => column.notNull())
        .addColumn('epoch', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('sessions')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('epoch', 'integer', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('address', 'text', (column) => column.notNull())
        .addColumn('user_agent', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addColumn('ended_at', 'bigint')
        .execute();
      await db.schema.createIndex('sessions_user').on('sessions').column('user_id').execute();
      await db.schema
        .createTable('refresh_tokens')
        .addColumn('hash', 'text', (column) => column.primaryKey())
        .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id').onDelete('cascade'))
        .addColumn('used_at', 'bigint')
        .execute();
      await db.schema.createIndex('refresh_tokens_session').on('refresh_tokens').column('session_id').execute();
      await db.schema
        .createTable('login_throttle')
        .addColumn('bucket', 'text', (column) => column.primaryKey())
        .addColumn('failures', 'integer', (column) => column.notNull())
        .addColumn('blocked_until', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('account_keys')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('sealed', 'text', (column) => column.notNull())
        .execute();
    },
  },
  '2026-11-25-accounts-2': {
    async up(db) {
      const table = db.schema.alterTable('sessions');
      await table.addColumn('refreshed_at', 'bigint', (column) => column.notNull().defaultTo(0)).execute();
      await table.addColumn('network', 'text', (column) => column.notNull().defaultTo('')).execute();
      await sql`UPDATE sessions SET network = address`.execute(db);
    },
  },
};

export interface UserRow {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  /** PHC string of argon2id. */
  readonly password: string;
  readonly role: User['role'];
  /** Sessions of another epoch are over. */
  readonly epoch: number;
  readonly created_at: number;
}

export interface AccountsStore {
  count(): number;
  byId(id: string): UserRow | undefined;
  /** By username or e-mail, whatever the case. */
  byLogin(login: string): UserRow | undefined;
  /** Inserts only where there is no user at all; false when there is one. */
  insertFirst(user: UserRow): boolean;
  setPassword(id: string, password: string): void;
  /** A new password and a new epoch, which one session is taken along to. Returns the sessions that end by it. */
  changePassword(id: string, password: string, keep: string | undefined, now: number): string[];
  key(name: string): string | undefined;
  putKey(name: string, sealed: string): void;
}

export function createAccountsStore({ raw }: Store): AccountsStore {
  const fields = 'id, username, email, password, role, epoch, created_at';
  const count = raw.prepare<[], { n: number }>('SELECT COUNT(*) AS n FROM users');
  const byId = raw.prepare<[string], UserRow>(`SELECT ${fields} FROM users WHERE id = ?`);
  const byLogin = raw.prepare<[string, string], UserRow>(
    `SELECT ${fields} FROM users WHERE username_key = ? OR email_key = ? LIMIT 1`,
  );
  const insertFirst = raw.prepare(
    `INSERT INTO users (id, username, username_key, email, email_key, password, role, epoch, created_at)
     SELECT @id, @username, @username_key, @email, @email_key, @password, @role, @epoch, @created_at
     WHERE NOT EXISTS (SELECT 1 FROM users)`,
  );
  const setPassword = raw.prepare('UPDATE users SET password = ? WHERE id = ?');
  const nextEpoch = raw.prepare('UPDATE users SET password = ?, epoch = epoch + 1 WHERE id = ?');
  const keepSession = raw.prepare(
    'UPDATE sessions SET epoch = (SELECT epoch FROM users WHERE id = user_id) WHERE user_id = ? AND id = ?',
  );
  const endOthers = raw.prepare<[number, string, string], { id: string }>(
    'UPDATE sessions SET ended_at = ? WHERE user_id = ? AND id <> ? AND ended_at IS NULL RETURNING id',
  );
  const key = raw.prepare<[string], { sealed: string }>('SELECT sealed FROM account_keys WHERE name = ?');
  const putKey = raw.prepare(
    'INSERT INTO account_keys (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed',
  );
  return {
    count: () => count.get()?.n ?? 0,
    byId: (id) => byId.get(id),
    byLogin: (login) => byLogin.get(keyOf(login), keyOf(login)),
    insertFirst: (user) =>
      withDatabaseFaults(
        () =>
          insertFirst.run({
            ...user,
            username_key: keyOf(user.username),
            email_key: user.email === null ? null : keyOf(user.email),
          }).changes === 1,
      ),
    setPassword: (id, password) => {
      withDatabaseFaults(() => setPassword.run(password, id));
    },
    changePassword: (id, password, keep, now) =>
      withDatabaseFaults(() =>
        raw.transaction(() => {
          nextEpoch.run(password, id);
          if (keep !== undefined) keepSession.run(id, keep);
          return endOthers.all(now, id, keep ?? '').map((row) => row.id);
        })(),
      ),
    key: (name) => key.get(name)?.sealed,
    putKey: (name, sealed) => {
      withDatabaseFaults(() => putKey.run(name, sealed));
    },
  };
}

/** Names that differ only in case or in Unicode composition are the same name. */
function keyOf(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}
