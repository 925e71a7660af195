import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Fault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import type { AllowedHosts } from './allowed-hosts.ts';
import { handleErrors, logProblem, pathOf, sendProblem } from './problem.ts';
import { guardRequests, safeMethods } from './request-guard.ts';
import { addSecurityHeaders } from './security-headers.ts';

export interface HttpServerOptions {
  readonly log: Log;
  readonly hosts: AllowedHosts;
  /** Addresses and networks whose `X-Forwarded-*` headers count. */
  readonly trustedProxies: readonly string[];
  readonly sessionCookie: string;
  /** Told of every fault, so that a disk that is full is noticed by whoever meets it first. */
  readonly reportFault?: (fault: Fault) => void;
  /** Called once an answer has been sent, for the metrics. `route` is the pattern, never the path. */
  readonly observe?: (answer: { method: string; route: string; status: number; seconds: number }) => void;
}

const bodyLimit = 1024 * 1024;
/** Of a message that a client sends over a WebSocket. */
const longestMessage = 64 * 1024;

/** A fastify application with our rules on every request: who may ask, what a body may be, how errors and headers look. */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    bodyLimit,
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false },
    frameworkErrors: (_error, request, reply) => {
      const fault = new Fault('bad_input', 'The path of the request cannot be read.');
      logProblem(options.log, request as FastifyRequest, fault, fault);
      sendProblem(request as FastifyRequest, reply as unknown as FastifyReply, fault);
    },
  });
  await app.register(cookie);
  // Before the guard: an upgrade that the guard refuses is then answered and its socket closed.
  await app.register(websocket, { options: { maxPayload: longestMessage, perMessageDeflate: false } });
  acceptJsonOnly(app);
  addSecurityHeaders(app);
  guardRequests(app, options);
  handleErrors(app, options.log, options.reportFault);
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    options.observe?.({ method: request.method, route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
    // Whoever changed something can be found by the log of the usual level; what was only read cannot, for it is too much.
    const changed = !safeMethods.has(request.method) && reply.statusCode < 400;
    options.log[changed ? 'info' : 'debug'](
      {
        request: request.id,
        method: request.method,
        path: pathOf(request),
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime),
        address: request.ip,
        user: request.actor?.name,
      },
      'request',
    );
  });
  return app;
}

/** No forms and no plain text: what another site can send without asking is never a body here. */
function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, String(body), done);
  });
}
