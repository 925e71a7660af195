import type { FastifyInstance } from 'fastify';
import { equalInConstantTime } from '../crypto/tokens.ts';
import { Fault } from '../fault.ts';
import { can } from './actor.ts';
import { actorOf, bearerTokenOf, type RouterOptions } from './create-router.ts';

export interface ServedMetrics {
  readonly contentType: string;
  /** What Prometheus sends; undefined where only a session may read. */
  readonly token: string | undefined;
  text(): Promise<string>;
}

/**
 * `/metrics` for Prometheus: with the token of the configuration, or with an access token that may read the system. Where a
 * request comes from says nothing: a proxy on this machine brings those of others.
 */
export function serveMetrics(
  app: FastifyInstance,
  metrics: ServedMetrics,
  authenticate: RouterOptions['authenticate'],
): void {
  app.get('/metrics', async (request, reply) => {
    const given = bearerTokenOf(request);
    const known = given !== undefined && metrics.token !== undefined && equalInConstantTime(given, metrics.token);
    if (!known) {
      const actor = await actorOf(request, authenticate);
      if (actor === undefined)
        throw new Fault(
          'not_signed_in',
          '/metrics needs "Authorization: Bearer …" with the token of EVENKEEL_METRICS_TOKEN or of a session.',
        );
      if (!can(actor, 'system:read')) throw new Fault('denied', 'This needs the permission system:read.');
    }
    return reply
      .header('content-type', metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.text());
  });
}
