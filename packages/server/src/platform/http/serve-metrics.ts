import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../fault.ts';
import { can } from './actor.ts';
import { bearerOf, type RouterOptions } from './create-router.ts';

/** `/metrics` for Prometheus: open to this machine, to others with an access token that may read the system. */
export function serveMetrics(
  app: FastifyInstance,
  metrics: { readonly contentType: string; text(): Promise<string> },
  authenticate: RouterOptions['authenticate'],
): void {
  app.get('/metrics', async (request, reply) => {
    if (!isLocal(request)) {
      const actor = await bearerOf(request, authenticate);
      if (actor === undefined)
        throw new Fault('not_signed_in', 'From another machine, /metrics needs "Authorization: Bearer …".');
      if (!can(actor, 'system:read')) throw new Fault('denied', 'This needs the permission system:read.');
    }
    return reply
      .header('content-type', metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.text());
  });
}

/** A proxy on this machine brings the requests of others, so what was forwarded is not local. */
function isLocal(request: FastifyRequest): boolean {
  const forwarded = request.headers['x-forwarded-for'] !== undefined || request.headers['forwarded'] !== undefined;
  return !forwarded && /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/.test(request.ip);
}
