import { hash, verify } from '@node-rs/argon2';
import { Fault } from '../platform/fault.ts';
import { isCommonPassword } from './common-passwords.ts';

/** argon2id, the default of the library, with m = 19 MiB, t = 2, p = 1 (RFC 9106; OWASP ASVS 5.0 appendix C). */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const prefix = '$argon2id$v=19$m=19456,t=2,p=1$';
/** Verified in place of the hash of a user who does not exist, so that both cost the same. */
export const dummyHash = `${prefix}AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes as long for a user who does not exist. */
  verify(stored: string | undefined, password: string): Promise<boolean>;
  /** The stored hash was made with weaker parameters than today's. */
  outdated(stored: string): boolean;
}

/**
 * Only a few are hashed at a time, for each takes 19 MiB and a thread that other requests need too; when too many wait,
 * further ones are refused with `too_many_requests`.
 */
export function createPasswords({ parallel = 2, longestQueue = 30 } = {}): Passwords {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function bounded<T>(work: () => Promise<T>): Promise<T> {
    if (running < parallel) running += 1;
    else if (waiting.length < longestQueue) await new Promise<void>((resolve) => waiting.push(resolve));
    else
      throw new Fault('too_many_requests', 'Too many people log in at once. Try again in a moment.', {
        retryAfterSeconds: 5,
      });
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    hash: (password) => bounded(() => hash(password, parameters)),
    verify: async (stored, password) => {
      const right = await bounded(() => verify(stored ?? dummyHash, password));
      return right && stored !== undefined;
    },
    outdated: (stored) => !stored.startsWith(prefix),
  };
}

/** Refuses passwords that are tried first: the very common ones and the user's own names. Throws `bad_input`. */
export function refuseWeak(password: string, names: readonly (string | undefined)[], field: string): void {
  const small = password.toLowerCase();
  const own = names.some((name) => name !== undefined && name.toLowerCase() === small);
  if (!own && !isCommonPassword(small)) return;
  const message = own ? 'is one of your own names' : 'is one of the most common passwords, which are tried first';
  throw new Fault('bad_input', `The password ${message}. Take another one; a few words in a row are good.`, {
    fields: [{ field, rule: 'common_password', message }],
  });
}
