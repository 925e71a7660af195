import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../clock.ts';
import { silentLog } from '../../log/create-log.ts';
import { createRegistryClient, type RegistryClientOptions } from '../create-registry-client.ts';
import type { RegistryClient } from '../registry-client.ts';

/** For tests: servers of ours that speak the registry protocol, and clients that talk to them. */
export interface RegistryBench {
  serve(handler: Handler): Promise<Served>;
  /** A client for which every loopback host is one that somebody has named, unless `trustFor` says otherwise. */
  client(options?: Partial<RegistryClientOptions>): RegistryClient;
  close(): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Served {
  readonly host: string;
  readonly port: number;
  readonly seen: Seen[];
  /** Connections so far, whether a request came over them or not. */
  readonly connections: () => number;
  readonly stop: () => Promise<void>;
}

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly accept: string | undefined;
}

export const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
export const manifest = JSON.stringify({
  schemaVersion: 2,
  config: { mediaType: 'c', digest: digestOf('config'), size: 6 },
  layers: [],
});
export const digest = digestOf(manifest);
/** Answers every request with the digest of `manifest`. */
export const good: Handler = (_, response) => response.setHeader('docker-content-digest', digest).end();
export const named = { insecure: false, ca: undefined, tokenHosts: [] };

export function createRegistryBench(): RegistryBench {
  const closers: (() => Promise<void>)[] = [];
  return {
    async serve(handler) {
      const seen: Seen[] = [];
      let connections = 0;
      const server = createServer((request, response) => {
        const { authorization, accept } = request.headers;
        seen.push({ method: request.method ?? '', url: request.url ?? '', authorization, accept });
        handler(request, response);
      });
      server.on('connection', () => {
        connections += 1;
      });
      server.on('clientError', (_, socket) => socket.destroy());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const stop = () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        });
      closers.push(stop);
      const { port } = server.address() as AddressInfo;
      return { host: `127.0.0.1:${port}`, port, seen, connections: () => connections, stop };
    },
    client(options = {}) {
      const made = createRegistryClient({
        clock: systemClock,
        log: silentLog(),
        random: () => 0,
        credentialsFor: () => undefined,
        trustFor: (host) => (host.startsWith('127.0.0.1') ? named : undefined),
        timeoutMilliseconds: 20_000,
        ...options,
      });
      closers.push(() => made.close());
      return made;
    },
    async close() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}

/** Time that only passes when somebody waits. */
export function passingClock() {
  const waits: number[] = [];
  let now = Date.parse('2026-11-25T09:00:00Z');
  return {
    waits,
    now: () => now,
    sleep: async (milliseconds: number) => {
      waits.push(milliseconds);
      now += milliseconds;
    },
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}
