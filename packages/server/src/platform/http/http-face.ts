import type { FastifyInstance } from 'fastify';
import type { Log } from '../log/log.ts';
import type { Actor } from './actor.ts';
import { createAllowedHosts } from './allowed-hosts.ts';
import { serveApiDocs } from './api-docs.ts';
import { createRouter } from './create-router.ts';
import { createHttpServer, type HttpServerOptions } from './http-server.ts';
import type { Router } from './router.ts';
import { type ServedMetrics, serveMetrics } from './serve-metrics.ts';
import { buildOf, serveWeb } from './static-web.ts';
import type { FollowLogs } from './stream/follow-logs.ts';
import { serveStream } from './stream/serve-stream.ts';
import { createStream, type Stream, type StreamCollections, type StreamLimits } from './stream/stream.ts';

export interface HttpFaceOptions extends Omit<HttpServerOptions, 'hosts'> {
  readonly log: Log;
  readonly version: string;
  /** Names under which the server may be called, beside loopback names and addresses. */
  readonly hostNames: readonly string[];
  readonly authenticate: (accessToken: string) => Promise<Actor | undefined>;
  readonly redeemTicket: (ticket: string) => Actor | undefined;
  /** Tells when a session has ended: its streams are closed at once. */
  readonly onSessionEnd: (listener: (session: string) => void) => () => void;
  /** Whether the session of an actor still holds: it may reach its age while a stream is open. */
  readonly sessionInForce: (actor: Actor) => boolean;
  readonly collections: StreamCollections;
  readonly followLogs: FollowLogs;
  readonly metrics: ServedMetrics;
  /** Where the built web application lies; it may be missing. */
  readonly webFolder: string;
  readonly checkAnswers?: boolean;
  /** Whether nothing may be changed (`RouterOptions`). */
  readonly readOnly: () => boolean;
  readonly streamLimits?: Partial<StreamLimits>;
  /** How long a stop waits for answers that are on their way; then their connections are cut. Default 5 s. */
  readonly drainMilliseconds?: number;
}

/** Everything that is spoken over one port: API, stream, web application, documents and metrics. */
export interface HttpFace {
  readonly app: FastifyInstance;
  readonly router: Router;
  readonly stream: Stream;
  readonly build: string;
  /** The port that was taken. Throws the error of the system when there is none to have. */
  listen(address: { host: string; port: number }): Promise<number>;
  /** Closes streams, takes no more, and answers what has been asked, as far as that does not take long. */
  close(): Promise<void>;
}

const longestDrain = 5000;

export async function createHttpFace(options: HttpFaceOptions): Promise<HttpFace> {
  const { log, authenticate } = options;
  const build = buildOf(options.webFolder);
  const hosts = createAllowedHosts(options.hostNames);
  const app = await createHttpServer({ ...options, hosts });
  const stream = createStream({
    build,
    collections: options.collections,
    followLogs: options.followLogs,
    inForce: options.sessionInForce,
    authenticate: async ({ ticket, accessToken }) => {
      if (ticket !== undefined) return options.redeemTicket(ticket);
      return accessToken === undefined ? undefined : authenticate(accessToken);
    },
    log,
    ...(options.streamLimits === undefined ? {} : { limits: options.streamLimits }),
  });
  const stopWatching = options.onSessionEnd((session) => stream.endSession(session));
  const router = createRouter(app, {
    authenticate,
    checkAnswers: options.checkAnswers ?? false,
    readOnly: options.readOnly,
  });
  serveStream(app, stream, hosts);
  await serveApiDocs(app, options.version);
  serveMetrics(app, options.metrics, authenticate);
  await serveWeb(app, options.webFolder);
  return {
    app,
    router,
    stream,
    build,
    async listen({ host, port }) {
      await app.listen({ host, port });
      const address = app.server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    async close() {
      stopWatching();
      stream.close();
      const cut = setTimeout(() => app.server.closeAllConnections(), options.drainMilliseconds ?? longestDrain);
      try {
        await app.close();
      } finally {
        clearTimeout(cut);
      }
    },
  };
}
