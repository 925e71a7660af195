import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestFacts } from './router.ts';

/**
 * Cookies are HttpOnly and SameSite=Strict. Over TLS they are also Secure with the `__Host-` prefix, which forbids another path
 * than `/` (RFC 6265bis, section 4.1.3.2).
 */
export function requestFacts(request: FastifyRequest, reply: FastifyReply): RequestFacts {
  const encrypted = request.protocol === 'https';
  const nameOf = (name: string) => (encrypted ? `__Host-${name}` : name);
  const pathOf = (path: string) => (encrypted ? '/' : path);
  const common = { httpOnly: true, sameSite: 'strict', secure: encrypted } as const;
  return {
    id: request.id,
    address: request.ip,
    encrypted,
    userAgent: String(request.headers['user-agent'] ?? '').slice(0, 300),
    cookie: (name) => request.cookies[nameOf(name)],
    setCookie: (name, value, { maxAgeSeconds, path }) => {
      reply.setCookie(nameOf(name), value, { ...common, maxAge: maxAgeSeconds, path: pathOf(path) });
    },
    clearCookie: (name, { path }) => {
      reply.clearCookie(nameOf(name), { ...common, path: pathOf(path) });
    },
    get signal() {
      const controller = new AbortController();
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) controller.abort(new Error('The client went away.'));
      });
      return controller.signal;
    },
  };
}
