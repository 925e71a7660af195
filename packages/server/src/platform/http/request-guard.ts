import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../fault.ts';
import type { AllowedHosts } from './allowed-hosts.ts';

/** Those that change nothing (RFC 9110, section 9.2.1). */
export const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Names under which tokens get into URLs, and from there into logs and histories. */
const tokenParameter =
  /[?&](?:token|access_token|accesstoken|refresh_token|refreshtoken|ticket|jwt|api_key|apikey|auth)=/i;

/** Refuses, before anything else looks at a request, what a page of another site could have sent. */
export function guardRequests(app: FastifyInstance, options: { hosts: AllowedHosts; sessionCookie: string }): void {
  app.addHook('onRequest', async (request) => {
    checkHost(request, options.hosts);
    if (tokenParameter.test(request.url))
      throw new Fault('not_signed_in', 'Tokens are not taken from the URL. Send "Authorization: Bearer …".');
    if (!safeMethods.has(request.method)) {
      checkOrigin(request, options.hosts);
      checkCookieUse(request, options.sessionCookie);
    }
  });
}

/** For the upgrade to a WebSocket, which browsers allow to any page: there must be an Origin that is ours, or none at all. */
export function checkUpgrade(request: FastifyRequest, hosts: AllowedHosts): void {
  checkHost(request, hosts);
  checkOrigin(request, hosts);
  if (request.headers.origin === undefined && request.headers.cookie !== undefined)
    throw new Fault('origin_refused', 'A stream that is opened with cookies must say from which page (Origin).');
}

function checkHost(request: FastifyRequest, hosts: AllowedHosts): void {
  if (hosts.allows(request.host)) return;
  throw new Fault(
    'origin_refused',
    `This server does not go by the name ${JSON.stringify(String(request.host ?? '').slice(0, 100))}. If it should, name it in EVENKEEL_ALLOWED_HOSTS.`,
  );
}

function checkOrigin(request: FastifyRequest, hosts: AllowedHosts): void {
  const { origin } = request.headers;
  const foreign = request.headers['sec-fetch-site'] === 'cross-site';
  if (!foreign && (origin === undefined || hosts.sameOrigin(origin, request.host))) return;
  throw new Fault(
    'origin_refused',
    `Pages of ${JSON.stringify(String(origin ?? 'another site').slice(0, 100))} may not change anything here. Behind a reverse proxy, let it pass the Host header on and name it in EVENKEEL_TRUSTED_PROXIES.`,
  );
}

/** A cookie comes along by itself; a header of our own does not, and a foreign page cannot add one. */
function checkCookieUse(request: FastifyRequest, sessionCookie: string): void {
  const byCookie =
    request.cookies[sessionCookie] !== undefined || request.cookies[`__Host-${sessionCookie}`] !== undefined;
  if (!byCookie || request.headers.authorization !== undefined) return;
  if (request.headers['x-evenkeel-request'] !== undefined) return;
  throw new Fault('origin_refused', 'A change that is signed in by cookie must carry the header x-evenkeel-request.');
}
