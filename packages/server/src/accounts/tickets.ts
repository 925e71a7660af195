import type { Clock } from '../platform/clock.ts';
import { createToken, hashToken } from '../platform/crypto/tokens.ts';
import { Fault } from '../platform/fault.ts';

const lifetime = 30_000;
const most = 1000;

/** Tickets open one stream each, within 30 s. They live in memory: a stream does not outlive the server either. */
export interface Tickets {
  /** Throws `too_many_requests` when too many are unused. */
  issue(session: string): { ticket: string; expiresAt: number };
  /** The session that it was issued to, once. */
  use(ticket: string): string | undefined;
}

export function createTickets(clock: Clock): Tickets {
  const unused = new Map<string, { session: string; expiresAt: number }>();
  return {
    issue(session) {
      const now = clock.now();
      for (const [hash, { expiresAt }] of unused) if (expiresAt <= now) unused.delete(hash);
      if (unused.size >= most)
        throw new Fault('too_many_requests', 'Too many streams are being opened. Try again in a moment.', {
          retryAfterSeconds: 5,
        });
      const ticket = createToken();
      const expiresAt = now + lifetime;
      unused.set(hashToken(ticket), { session, expiresAt });
      return { ticket, expiresAt };
    },
    use(ticket) {
      const hash = hashToken(ticket);
      const known = unused.get(hash);
      unused.delete(hash);
      return known !== undefined && known.expiresAt > clock.now() ? known.session : undefined;
    },
  };
}
