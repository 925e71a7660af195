import { randomUUID } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { createToken, hashToken } from '../platform/crypto/tokens.ts';
import { Fault } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import type { Store } from '../platform/store/store.ts';
import type { UserRow } from './accounts-store.ts';
import { createSessionsStore, type SessionRow } from './sessions-store.ts';

/** Where a request comes from, as far as a session keeps it. */
export interface Origin {
  readonly address: string;
  readonly userAgent: string;
}

export interface OpenedSession {
  readonly session: SessionRow;
  readonly refreshToken: string;
}

/**
 * Sessions with rotating refresh tokens (RFC 9700, section 4.14): each token is used once; one that comes a second time ends
 * the whole session, for then two parties hold it. For 10 s the same successor is given once more, to a second tab.
 */
export interface Sessions {
  open(user: UserRow, kind: SessionRow['kind'], origin: Origin): OpenedSession;
  /** Throws `not_signed_in`. */
  refresh(token: string): OpenedSession;
  /** Undefined when it has ended or expired. */
  inForce(id: string): SessionRow | undefined;
  end(id: string): void;
  /** Tells the listeners about sessions that were ended in the database by somebody else. */
  ended(ids: readonly string[]): void;
  onEnd(listener: (session: string) => void): () => void;
  knownFrom(user: string, address: string): boolean;
}

const lifetime = 30 * 24 * 3_600_000;
const grace = 10_000;
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
  const listeners = new Set<(session: string) => void>();
  const successors = new Map<string, { token: string; until: number }>();
  if (!parts.store.readOnly) store.prune(clock.now() - lifetime);

  function ended(ids: readonly string[]): void {
    for (const id of ids) for (const listener of listeners) listener(id);
  }

  function end(id: string): void {
    if (store.end(id, clock.now())) ended([id]);
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
    open(user, kind, origin) {
      const now = clock.now();
      const refreshToken = createToken();
      const session: SessionRow = {
        id: randomUUID(),
        user_id: user.id,
        epoch: user.epoch,
        kind,
        address: origin.address,
        user_agent: origin.userAgent,
        created_at: now,
        expires_at: now + lifetime,
        ended_at: null,
      };
      store.insert(session, hashToken(refreshToken));
      for (const old of store.surplus(user.id, mostPerUser)) end(old);
      return { session, refreshToken };
    },
    refresh(token) {
      const hash = hashToken(token);
      const known = store.refreshToken(hash);
      const session = known && inForce(known.session_id);
      if (known === undefined || session === undefined) throw signedOut();
      if (known.used_at === null) {
        const successor = createToken();
        if (!store.rotate(hash, hashToken(successor), session.id, clock.now())) throw signedOut();
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
    onEnd(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    knownFrom: (user, address) => store.knownFrom(user, address, clock.now() - lifetime),
  };
}

function signedOut(): Fault {
  return new Fault('not_signed_in', 'The session has ended. Log in again.');
}
