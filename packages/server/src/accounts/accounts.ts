import type { LoginBody, Session, SetupBody, SystemNotice, User } from '@evenkeel/contract';
import type { Actor } from '../platform/http/actor.ts';
import type { ClientTrace } from './sessions.ts';

/** A session just opened or refreshed. The refresh token goes into a cookie or into the body, as the client wished. */
export interface OpenedSession {
  readonly session: Omit<Session, 'refreshToken'>;
  readonly refreshToken: string;
  readonly kind: 'browser' | 'bearer';
}

export interface OwnerRequest {
  readonly username: string;
  readonly email: string | undefined;
  readonly password: string;
}

/** Who may come in. Later: more users, second factors, keys; the faces only ever see actors. */
export interface Accounts {
  setupNeeded(): boolean;
  /** Printed at the start while a set-up is needed. */
  readonly setupToken: string;
  /** Creates the owner. Throws `denied`, `setup_closed`, `conflict`, `read_only` and, once there is an owner, `not_found`. */
  setUp(body: SetupBody, client: ClientTrace): Promise<OpenedSession>;
  /** Creates the owner from the configuration when there is no user yet; otherwise does nothing. Throws `bad_input`. */
  ensureOwner(owner: OwnerRequest): Promise<void>;
  /** Throws `not_signed_in`, with the same words for a wrong password and an unknown user, and `too_many_requests`. */
  logIn(body: LoginBody, client: ClientTrace): Promise<OpenedSession>;
  refresh(refreshToken: string): Promise<OpenedSession>;
  logOut(actor: Actor): void;
  /** Ends all other sessions, and makes every access token worthless. Throws `denied`, `bad_input`, `read_only`, `disk_full`. */
  changePassword(actor: Actor, currentPassword: string, newPassword: string, client: ClientTrace): Promise<void>;
  userOf(actor: Actor): User;
  /** Whether the session that the actor came with still holds; it may have reached its age without anybody asking. */
  inForce(actor: Actor): boolean;
  /** The actor behind an access token; undefined when it is not (or no longer) good. */
  authenticate(accessToken: string): Promise<Actor | undefined>;
  /** A single-use ticket of 30 seconds, for what cannot send headers. */
  issueTicket(actor: Actor): { ticket: string; expiresAt: string };
  redeemTicket(ticket: string): Actor | undefined;
  onSessionEnd(listener: (session: string) => void): () => void;
  /** Something that people should know about an account, such as a refresh token that was used twice. */
  onAlarm(listener: (notice: SystemNotice) => void): () => void;
}
