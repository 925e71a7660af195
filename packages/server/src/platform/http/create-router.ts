import { isDeepStrictEqual } from 'node:util';
import type { Access, RouteSpec } from '@evenkeel/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../fault.ts';
import { type Actor, can } from './actor.ts';
import { createListPages } from './list-page.ts';
import { networkOf } from './network-of.ts';
import { createRateLimits } from './rate-limits.ts';
import { requestFacts } from './request-facts.ts';
import { parseInput } from './request-input.ts';
import type { RouteContext, Router } from './router.ts';

export interface RouterOptions {
  /** Who a bearer token speaks for; undefined for one that is not (or no longer) good. */
  readonly authenticate: (accessToken: string) => Promise<Actor | undefined>;
  /** Check each answer against its schema: for tests, where a wrong answer is an error. */
  readonly checkAnswers?: boolean;
  /** Whether nothing may be changed: routes that can answer `read_only` then do so, whatever their handlers think of. */
  readonly readOnly?: () => boolean;
  /** Milliseconds, for the limits of requests. Default: the clock of the machine. */
  readonly now?: () => number;
}

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor | undefined;
  }
}

const json = 'application/json; charset=utf-8';

/** The router over fastify. A route without a declared access, or registered twice, stops the start. */
export function createRouter(app: FastifyInstance, options: RouterOptions): Router {
  app.decorateRequest('actor', undefined);
  const limits = createRateLimits(options.now ?? Date.now);

  function register(route: RouteSpec, answer: (request: FastifyRequest, reply: FastifyReply) => Promise<void>): void {
    if (!route.access) throw new Error(`The route ${route.id} does not say who may call it.`);
    app.route({
      method: route.method,
      url: route.path,
      // Before the body is read: who may not call has nothing parsed.
      onRequest: async (request) => {
        if (route.access === 'public') return;
        request.actor = await actorOf(request, options.authenticate);
        admit(route.access, request.actor);
      },
      handler: async (request, reply) => {
        const leave = limits.enter(request.actor?.id ?? networkOf(request.ip), route.cost);
        try {
          if (options.readOnly?.() === true && route.errors.includes('read_only')) throw unchangeable();
          await answer(request, reply);
        } finally {
          leave();
        }
        return reply;
      },
    });
  }

  return {
    handle(route, handler) {
      register(route, async (request, reply) => {
        const input = parseInput(route, request);
        const context = { ...input, actor: request.actor, request: requestFacts(request, reply) };
        const result = await handler(context as unknown as RouteContext<typeof route>);
        reply.code(route.status).header('cache-control', 'no-store');
        if (options.checkAnswers) checkAnswer(route, result);
        if (result === undefined) reply.send();
        else reply.header('content-type', json).send(JSON.stringify(result));
      });
    },
    list(route, source) {
      if (route.sorts === undefined) throw new Error(`The list ${route.id} does not say how it is sorted.`);
      const pages = createListPages(source, route.sorts[0]);
      register(route, async (request, reply) => {
        const { query } = parseInput(route, request);
        const { etag, body } = pages.answer(query as Parameters<typeof pages.answer>[0]);
        if (options.checkAnswers) checkAnswer(route, JSON.parse(body.toString('utf8')));
        reply.header('etag', etag).header('cache-control', 'private, no-cache');
        if (matches(request.headers['if-none-match'], etag)) reply.code(304).send();
        else reply.code(route.status).header('content-type', json).send(body);
      });
    },
  };
}

function admit(access: Exclude<Access, 'public'>, actor: Actor | undefined): void {
  if (actor === undefined)
    throw new Fault('not_signed_in', 'Sign in first: send a valid access token as "Authorization: Bearer …".');
  if (access !== 'signed-in' && !can(actor, access))
    throw new Fault('denied', `This needs the permission ${access}, which ${actor.name} does not have.`);
}

function unchangeable(): Fault {
  return new Fault(
    'read_only',
    'Nothing can be changed: the database cannot be written. The notices say why and what to do.',
  );
}

/** The token of the `Authorization` header (RFC 6750, section 2.1); tokens in URLs are never looked at. */
export function bearerTokenOf(request: FastifyRequest): string | undefined {
  return /^Bearer ([A-Za-z0-9._~+/=-]{1,4096})$/i.exec(request.headers.authorization ?? '')?.[1];
}

export async function actorOf(
  request: FastifyRequest,
  authenticate: RouterOptions['authenticate'],
): Promise<Actor | undefined> {
  const token = bearerTokenOf(request);
  return token === undefined ? undefined : authenticate(token);
}

/** Weak comparison of `If-None-Match` (RFC 9110, section 13.1.2). */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag || one.trim() === '*');
}

/** Strict both ways: a field too many is as wrong as one too few, for it may be a secret. */
function checkAnswer(route: RouteSpec, answer: unknown): void {
  if (route.response === undefined) {
    if (answer !== undefined) throw new Error(`${route.id} answered although its contract has no body`);
    return;
  }
  const sent: unknown = answer === undefined ? undefined : JSON.parse(JSON.stringify(answer));
  const parsed = route.response.safeParse(sent);
  if (!parsed.success) throw new Error(`${route.id} breaks its contract: ${parsed.error.message}`);
  if (!isDeepStrictEqual(parsed.data, sent)) throw new Error(`${route.id} answers with fields that its contract lacks`);
}
