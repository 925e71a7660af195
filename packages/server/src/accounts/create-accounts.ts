import { randomUUID } from 'node:crypto';
import { Password, type SystemNotice, type User, Username } from '@evenkeel/contract';
import type { z } from 'zod';
import { type Clock, moment } from '../platform/clock.ts';
import type { Sealer } from '../platform/crypto/sealer.ts';
import { Fault } from '../platform/fault.ts';
import type { Actor } from '../platform/http/actor.ts';
import type { Log } from '../platform/log/log.ts';
import type { Store } from '../platform/store/store.ts';
import { createAccessTokens, createSigningKey } from './access-tokens.ts';
import type { Accounts, OpenedSession, OwnerRequest } from './accounts.ts';
import { type AccountsStore, createAccountsStore, type UserRow } from './accounts-store.ts';
import { createPasswords, refuseWeak } from './passwords.ts';
import { capabilitiesOf } from './roles.ts';
import { createSessions } from './sessions.ts';
import type { SessionRow } from './sessions-store.ts';
import { createSetupToken } from './setup-token.ts';
import { createThrottle, networkOf } from './throttle.ts';
import { createTickets } from './tickets.ts';

/** Failures in a row before waiting begins: of one account, from one network, and of all together. */
const free = { account: 5, network: 15, everybody: 300 } as const;

export function createAccounts(parts: {
  store: Store;
  sealer: Sealer;
  clock: Clock;
  log: Log;
  setupToken?: string | undefined;
}): Accounts {
  const { clock, log } = parts;
  const store = createAccountsStore(parts.store);
  const passwords = createPasswords();
  const throttle = createThrottle(parts);
  const tokens = createAccessTokens({ key: signingKey(store, parts.sealer), clock });
  const tickets = createTickets(clock);
  const setup = createSetupToken(clock, parts.setupToken);
  const alarmed = new Set<(notice: SystemNotice) => void>();
  const sessions = createSessions({ ...parts, onReuse });

  function onReuse(session: SessionRow): void {
    const name = store.byId(session.user_id)?.username ?? 'a user';
    const notice: SystemNotice = {
      code: `session_reuse:${session.user_id}`,
      severity: 'warning',
      text: `A session of ${name} was ended: its refresh token was used twice, the second time by somebody who held a copy.`,
      remedy: 'If nobody restored a browser or a backup, change the password.',
    };
    for (const listener of alarmed) listener(notice);
  }

  function enter(account: string, address: string, knownDevice: boolean) {
    const network = { name: `network:${networkOf(address)}`, free: free.network };
    // Whom others try to guess still gets in from where he has been before.
    if (knownDevice) return throttle.enter([{ name: `${account}@${networkOf(address)}`, free: free.account }, network]);
    return throttle.enter([
      { name: account, free: free.account },
      network,
      { name: 'everybody', free: free.everybody },
    ]);
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
    async setUp(body, origin) {
      if (store.count() > 0) throw new Fault('not_found', 'The first run is done. Log in instead.');
      const attempt = enter('setup', origin.address, false);
      setup.require(body.token);
      attempt.succeeded();
      const user = await createOwner({ ...body, email: body.email }, 'body.password');
      const opened = sessions.open(user, body.kind, origin);
      return given(user, opened.session, opened.refreshToken);
    },
    async ensureOwner(owner) {
      if (store.count() > 0) return;
      requireGood('EVENKEEL_OWNER_USERNAME', Username, owner.username);
      requireGood('EVENKEEL_OWNER_PASSWORD', Password, owner.password);
      await createOwner(owner, 'EVENKEEL_OWNER_PASSWORD');
    },
    async logIn(body, origin) {
      const user = store.byLogin(body.username);
      const knownDevice = user !== undefined && sessions.knownFrom(user.id, origin.address);
      const attempt = enter(`account:${user?.id ?? body.username.toLowerCase()}`, origin.address, knownDevice);
      const right = await passwords.verify(user?.password, body.password);
      if (!right || user === undefined) throw new Fault('not_signed_in', 'The username or the password is wrong.');
      attempt.succeeded();
      if (passwords.outdated(user.password)) store.setPassword(user.id, await passwords.hash(body.password));
      const opened = sessions.open(user, body.kind, origin);
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
      if (actor.session !== undefined) sessions.end(actor.session);
    },
    async changePassword(actor, currentPassword, newPassword, origin) {
      const user = mustExist(actor);
      const attempt = enter(`password:${user.id}`, origin.address, false);
      if (!(await passwords.verify(user.password, currentPassword)))
        throw new Fault('denied', 'The current password is wrong.');
      attempt.succeeded();
      refuseWeak(newPassword, [user.username, user.email ?? undefined], 'body.newPassword');
      const hash = await passwords.hash(newPassword);
      sessions.ended(store.changePassword(user.id, hash, actor.session, clock.now()));
      log.info({ user: user.username }, 'a password was changed');
    },
    userOf: (actor) => toUser(mustExist(actor)),
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
    onAlarm(listener) {
      alarmed.add(listener);
      return () => alarmed.delete(listener);
    },
  };
}

/** Kept sealed, so that access tokens survive a restart; with locked secrets a new one for this start only. */
function signingKey(store: AccountsStore, sealer: Sealer): Uint8Array {
  const context = 'account_keys/access-token/sealed';
  if (sealer.locked !== undefined) return createSigningKey();
  const known = store.key('access-token');
  if (known !== undefined) {
    const rewrapped = sealer.rewrap(known, context);
    if (rewrapped !== known) store.putKey('access-token', rewrapped);
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

function requireGood(option: string, schema: z.ZodString, value: string): void {
  const { error } = schema.safeParse(value);
  if (error !== undefined)
    throw new Fault('bad_input', `${option} is not good: ${error.issues.map(({ message }) => message).join('; ')}.`);
}
