import { randomUUID } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { createToken, hashToken } from '../platform/crypto/tokens.ts';
import { Fault } from '../platform/fault.ts';
import { networkOf } from '../platform/http/network-of.ts';
import { createListeners } from '../platform/listeners.ts';
import type { Log } from '../platform/log/log.ts';
import type { Store } from '../platform/store/store.ts';
import type { UserRow } from './accounts-store.ts';
import { createSessionsStore, type SessionRow } from './sessions-store.ts';

/** Where a request comes from: as far as a session keeps it, and how the log names it. */
export interface ClientTrace {
  readonly address: string;
  readonly userAgent: string;
  /** Id of the request. */
  readonly request: string;
}

/** A session with the refresh token that is good next. */
export interface HeldSession {
  readonly session: SessionRow;
  readonly refreshToken: string;
}

/**
 * Sessions with rotating refresh tokens (RFC 9700, section 4.14): each token is used once; one that comes a second time ends
 * the whole session, for then two parties hold it. For 10 s the same successor is given once more, to a second tab.
 */
export interface Sessions {
  open(user: UserRow, kind: SessionRow['kind'], client: ClientTrace): HeldSession;
  /** Throws `not_signed_in`. */
  refresh(token: string): HeldSession;
  /** Undefined when it has ended or expired. */
  inForce(id: string): SessionRow | undefined;
  end(id: string): void;
  /** Tells the listeners about sessions that were ended in the database by somebody else. */
  ended(ids: readonly string[]): void;
  /** Throws while there is something that cannot be written: for changes that go past these rows. */
  flush(): void;
  onEnd(listener: (session: string) => void): () => void;
  knownFrom(user: string, address: string): boolean;
}

const lifetime = 30 * 24 * 3_600_000;
const grace = 10_000;
/** Of each kind, so that a script that never logs out ends no browser's session. */
const mostPerUser = 100;

export function createSessions(parts: {
  store: Store;
  clock: Clock;
  log: Log;
  /** A refresh token was used twice: somebody may have stolen it. */
  onReuse: (session: SessionRow) => void;
}): Sessions {
  const { clock, log } = parts;
  const store = createSessionsStore(parts.store);
  const endings = createListeners<string>();
  const successors = new Map<string, { token: string; until: number }>();
  try {
    if (!parts.store.readOnly) store.prune(clock.now() - lifetime);
  } catch (error) {
    if (!parts.store.writing.report(error)) throw error;
  }

  function ended(ids: readonly string[]): void {
    for (const id of ids) endings.tell(id);
  }

  function end(id: string): void {
    const session = store.get(id);
    if (session === undefined || session.ended_at !== null) return;
    store.save({ sessions: [{ ...session, ended_at: clock.now() }], tokens: [] });
    ended([id]);
  }

  function inForce(id: string): SessionRow | undefined {
    const session = store.get(id);
    return session !== undefined && session.ended_at === null && session.expires_at > clock.now() ? session : undefined;
  }

  /** The successor of a token that was used a moment ago, once. */
  function successorOf(hash: string): string | undefined {
    const successor = successors.get(hash);
    successors.delete(hash);
    return successor !== undefined && successor.until >= clock.now() ? successor.token : undefined;
  }

  function remember(hash: string, token: string): void {
    const now = clock.now();
    for (const [old, { until }] of successors) if (until < now) successors.delete(old);
    successors.set(hash, { token, until: now + grace });
  }

  return {
    open(user, kind, { address, userAgent }) {
      const now = clock.now();
      const refreshToken = createToken();
      const session: SessionRow = {
        id: randomUUID(),
        user_id: user.id,
        epoch: user.epoch,
        kind,
        address,
        network: networkOf(address),
        user_agent: userAgent,
        created_at: now,
        refreshed_at: now,
        expires_at: now + lifetime,
        ended_at: null,
      };
      const token = { hash: hashToken(refreshToken), session_id: session.id, used_at: null };
      store.save({ sessions: [session], tokens: [token] });
      for (const old of store.surplus(user.id, kind, mostPerUser)) end(old);
      return { session, refreshToken };
    },
    refresh(token) {
      const hash = hashToken(token);
      const known = store.refreshToken(hash);
      const session = known && inForce(known.session_id);
      if (known === undefined || session === undefined) throw signedOut();
      if (known.used_at === null) {
        const now = clock.now();
        const successor = createToken();
        store.save({
          sessions: [{ ...session, refreshed_at: now }],
          tokens: [
            { ...known, used_at: now },
            { hash: hashToken(successor), session_id: session.id, used_at: null },
          ],
        });
        remember(hash, successor);
        return { session, refreshToken: successor };
      }
      const again = successorOf(hash);
      if (again !== undefined) return { session, refreshToken: again };
      log.warn({ session: session.id, user: session.user_id }, 'a refresh token was used twice; its session has ended');
      end(session.id);
      parts.onReuse(session);
      throw signedOut();
    },
    inForce,
    end,
    ended,
    flush: store.flush,
    onEnd: endings.add,
    knownFrom: (user, address) => store.knownFrom(user, networkOf(address), clock.now() - lifetime),
  };
}

function signedOut(): Fault {
  return new Fault('not_signed_in', 'The session has ended. Log in again.');
}
