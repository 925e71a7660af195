import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../platform/clock.ts';
import { createSealer, type Sealer } from '../platform/crypto/sealer.ts';
import { networkOf } from '../platform/http/network-of.ts';
import { createLog, silentLog } from '../platform/log/create-log.ts';
import { openMemoryStore, type Store } from '../platform/store/store.ts';
import type { Accounts } from './accounts.ts';
import { accountsMigrations } from './accounts-store.ts';
import { createAccounts } from './create-accounts.ts';
import { createPasswords, dummyHash } from './passwords.ts';

const token = 'the-token-of-the-first-run';
const password = 'correct horse battery';
const origin = { address: '192.0.2.1', userAgent: 'test', request: 'r1' };
const owner = { token, username: 'Anna', email: 'anna@example.org', password, kind: 'browser' } as const;

let now: number;
let folder: string;
let store: Store;
let sealer: Sealer;
let accounts: Accounts;
const clock: Clock = { now: () => now, sleep: async () => undefined };

function restart(setupToken?: string): Accounts {
  return createAccounts({ store, sealer, clock, log: silentLog(), setupToken });
}

beforeEach(async () => {
  now = Date.parse('2026-01-01T12:00:00Z');
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-accounts-'));
  store = await openMemoryStore(undefined, { migrations: accountsMigrations, readOnly: false });
  sealer = createSealer({ keyFile: join(folder, 'key') });
  accounts = restart(token);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

async function logIn(username = 'anna', given = password, from = origin) {
  return accounts.logIn({ username, password: given, kind: 'browser' }, from);
}
async function signedIn(accessToken: string) {
  const actor = await accounts.authenticate(accessToken);
  if (actor === undefined) throw new Error('not signed in');
  return actor;
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error: { code: string }) => error.code,
  );

describe('the first run', () => {
  test('makes the owner once, and is gone afterwards', async () => {
    expect(accounts.setupNeeded()).toBe(true);
    const { session } = await accounts.setUp(owner, origin);
    expect(session.user).toMatchObject({ username: 'Anna', role: 'owner' });
    expect(accounts.setupNeeded()).toBe(false);
    expect(await failure(accounts.setUp(owner, origin))).toBe('not_found');
  });

  test('needs the token, within a quarter of an hour', async () => {
    expect(await failure(accounts.setUp({ ...owner, token: 'guessed' }, origin))).toBe('denied');
    now += 16 * 60_000;
    expect(await failure(accounts.setUp(owner, origin))).toBe('setup_closed');
  });

  test('of two at once, one wins', async () => {
    const results = await Promise.all([
      failure(accounts.setUp(owner, origin)),
      failure(accounts.setUp({ ...owner, username: 'Bert' }, origin)),
    ]);
    expect(results.toSorted()).toEqual(['conflict', 'no failure']);
  });

  test('a token of one start is not one of the next', () => {
    const [one, other] = [restart().setupToken, restart().setupToken];
    expect(one).not.toBe(other);
    expect(one.length).toBeGreaterThanOrEqual(43);
  });

  test('guessing the token is slowed down', async () => {
    const codes: string[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1)
      codes.push(await failure(accounts.setUp({ ...owner, token: 'guess' }, origin)));
    expect(codes.filter((code) => code === 'denied').length).toBeLessThanOrEqual(5);
    expect(codes.at(-1)).toBe('too_many_requests');
  });

  test('the owner of the configuration is made once, with the same rules', async () => {
    const asked = { username: 'anna', email: undefined, password };
    expect(await failure(accounts.ensureOwner({ ...asked, username: 'an na' }))).toBe('bad_input');
    expect(await failure(accounts.ensureOwner({ ...asked, password: 'short' }))).toBe('bad_input');
    expect(await failure(accounts.ensureOwner({ ...asked, password: 'password1' }))).toBe('bad_input');
    await accounts.ensureOwner(asked);
    await accounts.ensureOwner({ ...asked, username: 'bert' });
    expect((await logIn('anna')).session.user.username).toBe('anna');
    expect(await failure(logIn('bert'))).toBe('not_signed_in');
  });
});

describe('passwords', () => {
  const stored = () => store.raw.prepare<[], { password: string }>('SELECT password FROM users').get()?.password;

  test('are kept as argon2id with 19 MiB and two passes', async () => {
    await accounts.setUp(owner, origin);
    expect(stored()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22,}\$/);
  });

  test.each(['password1', 'Password1', 'qwertyuiop', 'anna@EXAMPLE.org'])(
    '%j is refused as too common',
    async (weak) => {
      expect(await failure(accounts.setUp({ ...owner, password: weak }, origin))).toBe('bad_input');
    },
  );

  test.each(['x'.repeat(200), '  spaces around  ', 'пароль-длинный', '🔑🔑🔑🔑🔑🔑🔑🔑'])(
    '%j is taken whole',
    async (unusual) => {
      await accounts.setUp({ ...owner, password: unusual }, origin);
      await logIn('anna', unusual);
      expect(await failure(logIn('anna', unusual.slice(0, -1)))).toBe('not_signed_in');
    },
  );

  test('a weaker stored hash is replaced at the next log-in', async () => {
    await accounts.setUp(owner, origin);
    const { hash } = await import('@node-rs/argon2');
    store.raw.prepare('UPDATE users SET password = ?').run(await hash(password, { memoryCost: 8192, timeCost: 1 }));
    await logIn();
    expect(stored()).toContain('m=19456,t=2,p=1');
  });

  test('only so many are hashed at a time, and a long queue is refused', async () => {
    const passwords = createPasswords({ parallel: 1, longestQueue: 1 });
    const results = await Promise.all(['a', 'b', 'c'].map((text) => failure(passwords.hash(text))));
    expect(results).toEqual(['no failure', 'no failure', 'too_many_requests']);
  });
});

describe('logging in', () => {
  beforeEach(async () => {
    await accounts.setUp(owner, origin);
  });

  test('takes the username in any case, and the e-mail address', async () => {
    expect((await logIn('ANNA')).session.user.username).toBe('Anna');
    expect((await logIn('Anna@Example.org')).session.user.username).toBe('Anna');
  });

  test('a wrong password and an unknown user get the same answer', async () => {
    const answers = await Promise.all(
      [logIn('anna', 'wrong password'), logIn('nobody', 'wrong password')].map((attempt) =>
        attempt.catch((error: Error) => error.message),
      ),
    );
    expect(answers[0]).toBe(answers[1]);
  });

  test('of 200 wrong ones at most 20 are looked at, from many addresses or for many names', async () => {
    const looked = { addresses: 0, names: 0 };
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const from = { ...origin, address: `198.51.100.${attempt}` };
      if ((await failure(logIn('anna', 'wrong', from))) === 'not_signed_in') looked.addresses += 1;
      const here = { ...origin, address: '203.0.113.9' };
      if ((await failure(logIn(`user${attempt}`, 'wrong', here))) === 'not_signed_in') looked.names += 1;
    }
    expect(looked.addresses).toBeLessThanOrEqual(20);
    expect(looked.names).toBeLessThanOrEqual(20);
  });

  test('many wrong ones at once are counted before they are looked at', async () => {
    const from = { ...origin, address: '198.51.100.1' };
    const codes = await Promise.all(Array.from({ length: 40 }, () => failure(logIn('anna', 'wrong', from))));
    expect(codes.filter((code) => code === 'not_signed_in').length).toBeLessThanOrEqual(5);
  });

  test('whom others try to guess still gets in from a known address, and nobody is locked out for good', async () => {
    for (let attempt = 0; attempt < 30; attempt += 1)
      await failure(logIn('anna', 'wrong', { ...origin, address: `198.51.100.${attempt}` }));
    const elsewhere = { ...origin, address: '203.0.113.77' };
    expect(await failure(logIn('anna', password, elsewhere))).toBe('too_many_requests');
    await logIn();
    now += 15 * 60_000 + 1;
    await logIn('anna', password, elsewhere);
  });

  test('the throttle survives a restart', async () => {
    for (let attempt = 0; attempt < 8; attempt += 1) await failure(logIn('bert', 'wrong'));
    accounts = restart();
    expect(await failure(logIn('bert', 'wrong'))).toBe('too_many_requests');
  });

  test('a clock that was set back blocks nobody for longer than the longest delay', async () => {
    for (let attempt = 0; attempt < 8; attempt += 1) await failure(logIn('bert', 'wrong'));
    now -= 3_600_000;
    expect(await failure(logIn('bert', 'wrong'))).toBe('not_signed_in');
  });

  test.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7', '192.0.2.7'],
  ])('%s is throttled as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('sessions', () => {
  beforeEach(async () => {
    await accounts.setUp(owner, origin);
  });

  test('a refresh gives a new pair and keeps the session', async () => {
    const first = await logIn();
    const second = await accounts.refresh(first.refreshToken);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect((await signedIn(second.session.accessToken)).session).toBe(
      (await signedIn(first.session.accessToken)).session,
    );
  });

  test('two tabs that refresh at once get the same successor, once', async () => {
    const { refreshToken } = await logIn();
    const [one, other] = await Promise.all([accounts.refresh(refreshToken), accounts.refresh(refreshToken)]);
    expect(one.refreshToken).toBe(other.refreshToken);
    await signedIn(other.session.accessToken);
    expect(await failure(accounts.refresh(refreshToken))).toBe('not_signed_in');
  });

  test('a token used again after its exchange ends the whole session, and people are told', async () => {
    const ended: string[] = [];
    const alarms: string[] = [];
    accounts.onSessionEnd((session) => ended.push(session));
    accounts.onAlarm(({ text }) => alarms.push(text));
    const { refreshToken } = await logIn();
    const next = await accounts.refresh(refreshToken);
    now += 11_000;
    expect(await failure(accounts.refresh(refreshToken))).toBe('not_signed_in');
    expect(await failure(accounts.refresh(next.refreshToken))).toBe('not_signed_in');
    expect(await accounts.authenticate(next.session.accessToken)).toBeUndefined();
    expect(ended).toHaveLength(1);
    expect(alarms).toEqual([expect.stringContaining('used twice')]);
  });

  test('logging out ends it at once, access token included', async () => {
    const { session, refreshToken } = await logIn();
    accounts.logOut(await signedIn(session.accessToken));
    expect(await accounts.authenticate(session.accessToken)).toBeUndefined();
    expect(await failure(accounts.refresh(refreshToken))).toBe('not_signed_in');
  });

  test('a changed password ends all other sessions and makes every access token worthless', async () => {
    const [here, there] = [await logIn(), await logIn()];
    const [actor, other] = [await signedIn(here.session.accessToken), await signedIn(there.session.accessToken)];
    const ended: string[] = [];
    accounts.onSessionEnd((session) => ended.push(session));
    expect(await failure(accounts.changePassword(actor, 'wrong', 'another good one', origin))).toBe('denied');
    expect(await failure(accounts.changePassword(actor, password, 'password1', origin))).toBe('bad_input');
    await accounts.changePassword(actor, password, 'another good one', origin);
    expect(ended).toContain(other.session);
    expect(ended).not.toContain(actor.session);
    expect(await accounts.authenticate(there.session.accessToken)).toBeUndefined();
    expect(await accounts.authenticate(here.session.accessToken)).toBeUndefined();
    expect(await failure(accounts.refresh(there.refreshToken))).toBe('not_signed_in');
    await signedIn((await accounts.refresh(here.refreshToken)).session.accessToken);
    expect(await failure(logIn())).toBe('not_signed_in');
    await logIn('anna', 'another good one');
  });

  test('end after thirty days, whatever is refreshed', async () => {
    let { refreshToken } = await logIn();
    for (let day = 0; day < 29; day += 1) {
      now += 24 * 3_600_000;
      ({ refreshToken } = await accounts.refresh(refreshToken));
    }
    now += 24 * 3_600_000;
    expect(await failure(accounts.refresh(refreshToken))).toBe('not_signed_in');
  });

  test('an access token survives a restart, and a clock that jumps leaves the refresh token in force', async () => {
    const { session, refreshToken } = await logIn();
    accounts = restart();
    await signedIn(session.accessToken);
    now += 3_600_000;
    expect(await accounts.authenticate(session.accessToken)).toBeUndefined();
    const later = await accounts.refresh(refreshToken);
    now -= 2 * 3_600_000;
    const earlier = await accounts.refresh(later.refreshToken);
    await signedIn(earlier.session.accessToken);
  });

  test('nothing that is stored can be used to sign in', async () => {
    const { refreshToken, session } = await logIn();
    const dump = store.raw.serialize().toString('latin1');
    for (const secret of [refreshToken, session.accessToken, password]) expect(dump).not.toContain(secret);
  });

  test('a ticket works once, for half a minute, and dies with its session', async () => {
    const actor = await signedIn((await logIn()).session.accessToken);
    const { ticket } = accounts.issueTicket(actor);
    expect(accounts.redeemTicket(ticket)?.name).toBe('Anna');
    expect(accounts.redeemTicket(ticket)).toBeUndefined();
    const late = accounts.issueTicket(actor).ticket;
    now += 31_000;
    expect(accounts.redeemTicket(late)).toBeUndefined();
    const orphan = accounts.issueTicket(actor).ticket;
    accounts.logOut(actor);
    expect(accounts.redeemTicket(orphan)).toBeUndefined();
  });
});

describe('a database that cannot be written', () => {
  const fails = () => store.raw.pragma('query_only = ON');
  const heals = () => {
    store.raw.pragma('query_only = OFF');
    store.writing.look();
  };

  test('changes no password and makes no owner', async () => {
    await accounts.setUp(owner, origin);
    const shown = await openMemoryStore(store.raw.serialize(), { migrations: accountsMigrations, readOnly: true });
    const empty = await openMemoryStore(undefined, { migrations: accountsMigrations, readOnly: true });
    try {
      accounts = createAccounts({ store: shown, sealer, clock, log: silentLog(), setupToken: token });
      const actor = await signedIn((await logIn()).session.accessToken);
      expect(await failure(accounts.changePassword(actor, password, 'another good one', origin))).toBe('read_only');
      expect(accounts.userOf(actor).username).toBe('Anna');
      const first = createAccounts({ store: empty, sealer, clock, log: silentLog(), setupToken: token });
      expect(await failure(first.setUp(owner, origin))).toBe('read_only');
      expect(first.setupNeeded()).toBe(true);
    } finally {
      await shown.close();
      await empty.close();
    }
  });

  test('lets people in and keeps them in; what they were given is written once there is room', async () => {
    await accounts.setUp(owner, origin);
    const before = await logIn();
    fails();
    const troubles: string[] = [];
    store.writing.onChange((trouble) => troubles.push(trouble ?? 'none'));
    const during = await logIn();
    await signedIn(during.session.accessToken);
    const refreshed = await accounts.refresh(before.refreshToken);
    const again = await accounts.refresh((await accounts.refresh(during.refreshToken)).refreshToken);
    now += 11_000;
    expect(await failure(accounts.refresh(before.refreshToken))).toBe('not_signed_in');
    expect(await accounts.authenticate(refreshed.session.accessToken)).toBeUndefined();
    expect(troubles).toEqual(['read_only']);
    heals();
    expect(troubles).toEqual(['read_only', 'none']);
    accounts.logOut(await signedIn((await logIn()).session.accessToken));
    accounts = restart();
    await signedIn((await accounts.refresh(again.refreshToken)).session.accessToken);
    expect(await failure(accounts.refresh(refreshed.refreshToken))).toBe('not_signed_in');
  });

  test('still slows down guessing', async () => {
    await accounts.setUp(owner, origin);
    fails();
    const codes: string[] = [];
    for (let attempt = 0; attempt < 40; attempt += 1)
      codes.push(await failure(logIn('anna', 'wrong', { ...origin, address: '198.51.100.7' })));
    expect(codes.filter((code) => code === 'not_signed_in').length).toBeLessThanOrEqual(6);
    expect(codes.at(-1)).toBe('too_many_requests');
  });

  test('does not stop a start', async () => {
    await accounts.setUp(owner, origin);
    await failure(logIn('anna', 'wrong'));
    fails();
    now += 100 * 24 * 3_600_000;
    const later = restart();
    expect(later.setupNeeded()).toBe(false);
    await later.logIn({ username: 'anna', password, kind: 'browser' }, origin);
  });
});

describe('many sessions', () => {
  beforeEach(async () => {
    await accounts.setUp(owner, origin);
  });

  test('of a script end no browser, and the one used longest ago ends first', async () => {
    const browser = await logIn();
    const script = (await accounts.logIn({ username: 'anna', password, kind: 'bearer' }, origin)).refreshToken;
    let used = script;
    for (let n = 0; n < 105; n += 1) {
      now += 1000;
      await accounts.logIn({ username: 'anna', password, kind: 'bearer' }, origin);
      if (n % 20 === 0) used = (await accounts.refresh(used)).refreshToken;
    }
    await accounts.refresh(used);
    await accounts.refresh(browser.refreshToken);
    const open = store.raw
      .prepare("SELECT COUNT(*) AS n FROM sessions WHERE ended_at IS NULL AND kind = 'bearer'")
      .get();
    expect(open).toEqual({ n: 100 });
  }, 120_000);

  test('a session that is over by its age is not in force, whatever nobody asked', async () => {
    const { session } = await logIn();
    const actor = await signedIn(session.accessToken);
    expect(accounts.inForce(actor)).toBe(true);
    now += 30 * 24 * 3_600_000;
    expect(accounts.inForce(actor)).toBe(false);
  });
});

describe('small print', () => {
  test('the e-mail address of the configuration is checked', async () => {
    const asked = { username: 'anna', email: 'not an address', password };
    await expect(accounts.ensureOwner(asked)).rejects.toThrow(/EVENKEEL_OWNER_EMAIL is not good/);
  });

  test('a known device is known by its network: an IPv6 address that changes within its /64 stays known', async () => {
    await accounts.setUp(owner, { ...origin, address: '2001:db8:1:2::1' });
    for (let attempt = 0; attempt < 30; attempt += 1)
      await failure(logIn('anna', 'wrong', { ...origin, address: `198.51.100.${attempt}` }));
    await logIn('anna', password, { ...origin, address: '2001:db8:1:2:aaaa::7' });
    expect(await failure(logIn('anna', password, { ...origin, address: '2001:db8:1:3::7' }))).toBe('too_many_requests');
  });

  test('a log-in of somebody who does not exist costs a whole hash', async () => {
    await accounts.setUp(owner, origin);
    const busy = createPasswords({ parallel: 1, longestQueue: 0 });
    accounts = createAccounts({ store, sealer, clock, log: silentLog(), passwords: busy });
    const asked = (username: string) =>
      accounts.logIn({ username, password: 'wrong', kind: 'browser' }, origin).then(
        () => 'in',
        (error: Error) => error.message,
      );
    // There is one place for hashing and no queue: the second finds it taken by the first, who does not exist.
    expect(await Promise.all([asked('nobody'), asked('anna')])).toEqual([
      expect.stringContaining('is wrong'),
      expect.stringContaining('Too many people'),
    ]);
    expect(dummyHash.split('$').slice(0, 4)).toEqual((await createPasswords().hash('x')).split('$').slice(0, 4));
    for (const part of [4, 5])
      expect(dummyHash.split('$')[part]?.length).toBe((await createPasswords().hash('x')).split('$')[part]?.length);
  });

  test('what matters for security is in the log, with address and request, and without what was typed', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = createLog({
      level: 'info',
      destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
    });
    accounts = createAccounts({ store, sealer, clock, log, setupToken: token });
    await failure(accounts.setUp({ ...owner, token: 'guess' }, origin));
    await accounts.setUp(owner, origin);
    await logIn();
    await failure(logIn('anna', 'wrong'));
    await failure(logIn('hunter2hunter2', 'wrong'));
    for (let attempt = 0; attempt < 20; attempt += 1)
      await failure(logIn('anna', 'wrong', { ...origin, address: '198.51.100.7' }));
    const about = (msg: string) => lines.filter((line) => line['msg'] === msg);
    expect(about('logged in')[0]).toMatchObject({ level: 'info', user: 'Anna', address: '192.0.2.1', request: 'r1' });
    expect(about('log-in failed')[0]).toMatchObject({
      level: 'warn',
      user: 'Anna',
      address: '192.0.2.1',
      request: 'r1',
    });
    expect(about('log-in failed')[1]).toMatchObject({ user: 'unknown' });
    expect(about('set-up refused')).toHaveLength(1);
    expect(about('too many failed attempts').length).toBeGreaterThan(0);
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|wrong"/);
  });
});
