import type { FastifyInstance } from 'fastify';
import { Fault } from '../../fault.ts';
import type { AllowedHosts } from '../allowed-hosts.ts';
import { checkUpgrade } from '../request-guard.ts';
import type { Stream } from './stream.ts';

/** `/api/v1/stream`: who may not open it is told by HTTP, before the upgrade. No token is taken from the URL or a cookie. */
export function serveStream(app: FastifyInstance, stream: Stream, hosts: AllowedHosts): void {
  app.route({
    method: 'GET',
    url: '/api/v1/stream',
    onRequest: async (request) => {
      checkUpgrade(request, hosts);
      if (request.ws) stream.admit(request.ip);
    },
    handler: async () => {
      throw new Fault('bad_input', 'The stream is a WebSocket (RFC 6455): ask with "Connection: Upgrade".');
    },
    wsHandler: (socket, request) => stream.accept(socket, request.ip),
  });
}
