import { randomBytes } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../platform/clock.ts';

/** What an access token says: whose and of which session it is. Whether both still exist is asked at each request. */
export interface AccessClaims {
  readonly user: string;
  readonly session: string;
  /** Of the user: a changed password makes every earlier token worthless. */
  readonly epoch: number;
}

export interface AccessTokens {
  issue(claims: AccessClaims): Promise<{ token: string; expiresAt: number }>;
  /** Undefined for anything but a token of ours that is in force. */
  read(token: string): Promise<AccessClaims | undefined>;
}

const lifetime = 15 * 60_000;
const issuer = 'evenkeel';
const audience = 'evenkeel:api';
const type = 'at+jwt';
const headers: ReadonlySet<string> = new Set(['alg', 'typ', 'kid']);

/** JWTs (RFC 9068 and 8725): one algorithm, HS256, one key, one type, one audience. Nothing in the header chooses a key. */
export function createAccessTokens(parts: { key: Uint8Array; clock: Clock }): AccessTokens {
  const { key, clock } = parts;
  return {
    async issue({ user, session, epoch }) {
      const now = clock.now();
      const expiresAt = now + lifetime;
      const token = await new SignJWT({ sid: session, epoch })
        .setProtectedHeader({ alg: 'HS256', typ: type })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(user)
        .setJti(randomBytes(12).toString('base64url'))
        .setIssuedAt(Math.floor(now / 1000))
        .setNotBefore(Math.floor(now / 1000))
        .setExpirationTime(Math.floor(expiresAt / 1000))
        .sign(key);
      return { token, expiresAt };
    },
    async read(token) {
      try {
        const { payload, protectedHeader } = await jwtVerify(token, key, {
          algorithms: ['HS256'],
          typ: type,
          issuer,
          audience,
          requiredClaims: ['sub', 'exp', 'iat', 'nbf', 'sid', 'epoch'],
          currentDate: new Date(clock.now()),
        });
        if (Object.keys(protectedHeader).some((name) => !headers.has(name))) return undefined;
        const { sub, sid, epoch } = payload;
        if (typeof sub !== 'string' || typeof sid !== 'string' || typeof epoch !== 'number') return undefined;
        return { user: sub, session: sid, epoch };
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}

export function createSigningKey(): Buffer {
  return randomBytes(32);
}
