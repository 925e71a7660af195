import { createHmac, randomUUID } from 'node:crypto';
import { Email, Password, type SystemNotice, type User, Username } from '@evenkeel/contract';
import type { z } from 'zod';
import { type Clock, moment } from '../platform/clock.ts';
import type { Sealer } from '../platform/crypto/sealer.ts';
import { Fault } from '../platform/fault.ts';
import type { Actor } from '../platform/http/actor.ts';
import { networkOf } from '../platform/http/network-of.ts';
import { createListeners } from '../platform/listeners.ts';
import type { Log } from '../platform/log/log.ts';
import type { Store } from '../platform/store/store.ts';
import { createAccessTokens, createSigningKey } from './access-tokens.ts';
import type { Accounts, OpenedSession, OwnerRequest } from './accounts.ts';
import { type AccountsStore, createAccountsStore, type UserRow } from './accounts-store.ts';
import { createPasswords, type Passwords, refuseWeak } from './passwords.ts';
import { capabilitiesOf } from './roles.ts';
import { type ClientTrace, createSessions } from './sessions.ts';
import type { SessionRow } from './sessions-store.ts';
import { createSetupToken } from './setup-token.ts';
import { type Attempt, createThrottle } from './throttle.ts';
import { createTickets } from './tickets.ts';

/** Failures in a row before waiting begins: of one account, from one network, and of all together. */
const free = { account: 5, network: 15, everybody: 300 } as const;

export function createAccounts(parts: {
  store: Store;
  sealer: Sealer;
  clock: Clock;
  log: Log;
  setupToken?: string | undefined;
  passwords?: Passwords;
}): Accounts {
  const { clock, log } = parts;
  const store = createAccountsStore(parts.store);
  const passwords = parts.passwords ?? createPasswords();
  const throttle = createThrottle(parts);
  const key = signingKey(store, parts);
  const tokens = createAccessTokens({ key, clock });
  const tickets = createTickets(clock);
  const setup = createSetupToken(clock, parts.setupToken);
  const alarms = createListeners<SystemNotice>();
  const sessions = createSessions({ ...parts, onReuse });

  function onReuse(session: SessionRow): void {
    const name = store.byId(session.user_id)?.username ?? 'a user';
    alarms.tell({
      code: `session_reuse:${session.user_id}`,
      severity: 'warning',
      text: `A session of ${name} was ended: its refresh token was used twice, the second time by somebody who held a copy.`,
      remedy: 'If nobody restored a browser or a backup, change the password.',
    });
  }

  function enter(account: string, client: ClientTrace, knownDevice: boolean): Attempt {
    const place = networkOf(client.address);
    const network = { name: `network:${place}`, free: free.network };
    // Whom others try to guess still gets in from where he has been before.
    const buckets = knownDevice
      ? [{ name: `${account}@${place}`, free: free.account }, network]
      : [{ name: account, free: free.account }, network, { name: 'everybody', free: free.everybody }];
    try {
      return throttle.enter(buckets);
    } catch (error) {
      log.warn(traceOf(client), 'too many failed attempts');
      throw error;
    }
  }

  /** What stands for a name that nobody has: it is written down to count by, and may be a password in the wrong field. */
  function blurred(name: string): string {
    return createHmac('sha256', key).update(name.toLowerCase()).digest('hex').slice(0, 16);
  }

  async function createOwner(owner: OwnerRequest, field: string): Promise<UserRow> {
    refuseWeak(owner.password, [owner.username, owner.email], field);
    const user: UserRow = {
      id: randomUUID(),
      username: owner.username,
      email: owner.email ?? null,
      password: await passwords.hash(owner.password),
      role: 'owner',
      epoch: 1,
      created_at: clock.now(),
    };
    if (!store.insertFirst(user))
      throw new Fault('conflict', 'The owner has just been created by somebody else. Log in instead.');
    log.info({ user: user.username }, 'the owner was created');
    return user;
  }

  /** The stored hash is made anew with the parameters of today. Where that cannot be written, the next log-in does it. */
  async function strengthen(user: UserRow, password: string): Promise<void> {
    const hash = await passwords.hash(password);
    try {
      store.setPassword(user.id, hash);
    } catch (error) {
      if (!parts.store.writing.report(error)) throw error;
    }
  }

  async function given(user: UserRow, session: SessionRow, refreshToken: string): Promise<OpenedSession> {
    const { token, expiresAt } = await tokens.issue({ user: user.id, session: session.id, epoch: user.epoch });
    return {
      session: { accessToken: token, expiresAt: moment(expiresAt), user: toUser(user) },
      refreshToken,
      kind: session.kind,
    };
  }

  function actorOf(sessionId: string, epoch: number | undefined): Actor | undefined {
    const session = sessions.inForce(sessionId);
    const user = session && store.byId(session.user_id);
    if (user === undefined || session?.epoch !== user.epoch) return undefined;
    if (epoch !== undefined && epoch !== user.epoch) return undefined;
    return {
      kind: 'user',
      id: user.id,
      name: user.username,
      capabilities: capabilitiesOf(user.role),
      session: sessionId,
    };
  }

  function mustExist(actor: Actor): UserRow {
    const user = store.byId(actor.id);
    if (user === undefined) throw new Fault('not_signed_in', 'This account no longer exists.');
    return user;
  }

  return {
    setupNeeded: () => store.count() === 0,
    setupToken: setup.token,
    async setUp(body, client) {
      if (store.count() > 0) throw new Fault('not_found', 'The first run is done. Log in instead.');
      parts.store.requireWritable('The owner cannot be created');
      const attempt = enter('setup', client, false);
      try {
        setup.require(body.token);
      } catch (error) {
        log.warn(traceOf(client), 'set-up refused');
        throw error;
      }
      attempt.succeeded();
      const { username, email, password } = body;
      const user = await createOwner({ username, email, password }, 'body.password');
      const opened = sessions.open(user, body.kind, client);
      return given(user, opened.session, opened.refreshToken);
    },
    async ensureOwner(owner) {
      if (store.count() > 0) return;
      requireGood('EVENKEEL_OWNER_USERNAME', Username, owner.username);
      requireGood('EVENKEEL_OWNER_PASSWORD', Password, owner.password);
      if (owner.email !== undefined) requireGood('EVENKEEL_OWNER_EMAIL', Email, owner.email);
      await createOwner(owner, 'EVENKEEL_OWNER_PASSWORD');
    },
    async logIn(body, client) {
      const user = store.byLogin(body.username);
      const knownDevice = user !== undefined && sessions.knownFrom(user.id, client.address);
      const attempt = enter(`account:${user?.id ?? blurred(body.username)}`, client, knownDevice);
      const right = await passwords.verify(user?.password, body.password);
      if (!right || user === undefined) {
        // What was typed as a name may be a password: only names that exist are written down.
        log.warn({ ...traceOf(client), user: user?.username ?? 'unknown' }, 'log-in failed');
        throw new Fault('not_signed_in', 'The username or the password is wrong.');
      }
      attempt.succeeded();
      if (passwords.outdated(user.password)) await strengthen(user, body.password);
      const opened = sessions.open(user, body.kind, client);
      log.info({ ...traceOf(client), user: user.username, session: opened.session.id }, 'logged in');
      return given(user, opened.session, opened.refreshToken);
    },
    async refresh(refreshToken) {
      const { session, refreshToken: successor } = sessions.refresh(refreshToken);
      const user = store.byId(session.user_id);
      if (user === undefined || user.epoch !== session.epoch)
        throw new Fault('not_signed_in', 'The session has ended. Log in again.');
      return given(user, session, successor);
    },
    logOut(actor) {
      if (actor.session === undefined) return;
      sessions.end(actor.session);
      log.info({ user: actor.name, session: actor.session }, 'logged out');
    },
    async changePassword(actor, currentPassword, newPassword, client) {
      const user = mustExist(actor);
      parts.store.requireWritable('The password cannot be changed');
      const attempt = enter(`password:${user.id}`, client, false);
      if (!(await passwords.verify(user.password, currentPassword))) {
        log.warn({ ...traceOf(client), user: user.username }, 'a change of the password was refused');
        throw new Fault('denied', 'The current password is wrong.');
      }
      attempt.succeeded();
      refuseWeak(newPassword, [user.username, user.email ?? undefined], 'body.newPassword');
      const hash = await passwords.hash(newPassword);
      // The rows of all sessions are changed at once: none of them may come back from memory afterwards.
      sessions.flush();
      sessions.ended(store.changePassword(user.id, hash, actor.session, clock.now()));
      log.info({ ...traceOf(client), user: user.username }, 'a password was changed');
    },
    userOf: (actor) => toUser(mustExist(actor)),
    inForce: ({ session }) => session === undefined || actorOf(session, undefined) !== undefined,
    async authenticate(accessToken) {
      const claims = await tokens.read(accessToken);
      const actor = claims && actorOf(claims.session, claims.epoch);
      return actor?.id === claims?.user ? actor : undefined;
    },
    issueTicket(actor) {
      if (actor.session === undefined) throw new Fault('denied', 'Only a session can open a stream.');
      const { ticket, expiresAt } = tickets.issue(actor.session);
      return { ticket, expiresAt: moment(expiresAt) };
    },
    redeemTicket(ticket) {
      const session = tickets.use(ticket);
      return session === undefined ? undefined : actorOf(session, undefined);
    },
    onSessionEnd: sessions.onEnd,
    onAlarm: alarms.add,
  };
}

/** Kept sealed, so that access tokens survive a restart; with locked secrets a new one for this start only. */
function signingKey(
  store: AccountsStore,
  { sealer, store: { writing } }: { sealer: Sealer; store: Store },
): Uint8Array {
  const context = 'account_keys/access-token/sealed';
  if (sealer.locked !== undefined) return createSigningKey();
  const known = store.key('access-token');
  if (known !== undefined) {
    const rewrapped = sealer.rewrap(known, context);
    try {
      if (rewrapped !== known) store.putKey('access-token', rewrapped);
    } catch (error) {
      // The next start does it: this one has the key.
      if (!writing.report(error)) throw error;
    }
    return Buffer.from(sealer.open(known, context), 'base64');
  }
  const key = createSigningKey();
  store.putKey('access-token', sealer.seal(key.toString('base64'), context));
  return key;
}

function toUser(user: UserRow): User {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    role: user.role,
    capabilities: [...capabilitiesOf(user.role)],
    createdAt: moment(user.created_at),
  };
}

function traceOf({ address, request }: ClientTrace): { address: string; request: string } {
  return { address, request };
}

function requireGood(option: string, schema: z.ZodType<string>, value: string): void {
  const { error } = schema.safeParse(value);
  if (error !== undefined)
    throw new Fault('bad_input', `${option} is not good: ${error.issues.map(({ message }) => message).join('; ')}.`);
}
