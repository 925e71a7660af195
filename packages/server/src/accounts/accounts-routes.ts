import { routes, type Session } from '@evenkeel/contract';
import { Fault } from '../platform/fault.ts';
import type { RequestFacts, Router } from '../platform/http/router.ts';
import type { Accounts, OpenedSession } from './accounts.ts';

/** The refresh token of a browser. Over TLS the router gives it the `__Host-` prefix. */
export const sessionCookie = 'evenkeel_refresh';
const cookiePath = '/api/v1/session';
const cookieSeconds = 30 * 24 * 3600;

export function registerAccountRoutes(router: Router, accounts: Accounts): void {
  const clientOf = ({ address, userAgent, id }: RequestFacts) => ({ address, userAgent, request: id });

  router.handle(routes.setupState, () => ({ setupNeeded: accounts.setupNeeded() }));
  router.handle(routes.setup, async ({ body, request }) =>
    answer(await accounts.setUp(body, clientOf(request)), request),
  );
  router.handle(routes.login, async ({ body, request }) =>
    answer(await accounts.logIn(body, clientOf(request)), request),
  );
  router.handle(routes.session, ({ actor }) => accounts.userOf(actor));
  router.handle(routes.refresh, async ({ body, request }) => {
    const token = body.refreshToken ?? request.cookie(sessionCookie);
    if (token === undefined) throw new Fault('not_signed_in', 'There is no refresh token. Log in.');
    try {
      return answer(await accounts.refresh(token), request);
    } catch (error) {
      if (body.refreshToken === undefined) request.clearCookie(sessionCookie, { path: cookiePath });
      throw error;
    }
  });
  router.handle(routes.logout, ({ actor, request }) => {
    accounts.logOut(actor);
    request.clearCookie(sessionCookie, { path: cookiePath });
    return undefined;
  });
  router.handle(routes.changePassword, async ({ actor, body, request }) => {
    await accounts.changePassword(actor, body.currentPassword, body.newPassword, clientOf(request));
    return undefined;
  });
  router.handle(routes.streamTicket, ({ actor }) => accounts.issueTicket(actor));
}

function answer({ session, refreshToken, kind }: OpenedSession, request: RequestFacts): Session {
  if (kind === 'bearer') return { ...session, refreshToken };
  request.setCookie(sessionCookie, refreshToken, { maxAgeSeconds: cookieSeconds, path: cookiePath });
  return session;
}
