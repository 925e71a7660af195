import { connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Certificate } from './certificates.ts';
import type { TestEngine } from './engine-access.ts';
import { listenOnLoopback } from './listen.ts';

/** An engine behind TLS, as `dockerd --tlsverify` listens: who shows no certificate of the client's authority is turned away. */
export interface EngineTlsFront {
  /** `tcp://127.0.0.1:` and the port. */
  url: string;
  stop(): Promise<void>;
}

/** Starts the front on a free port of the loopback; `client` is the authority of its clients' certificates. */
export async function startEngineTlsFront(
  engine: Pick<TestEngine, 'socketPath'>,
  { server, client }: { server: Certificate; client: Certificate },
): Promise<EngineTlsFront> {
  const sockets = new Set<Socket>();
  const front = createServer(
    {
      key: server.key,
      cert: server.certificate,
      ca: [client.certificate],
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => {
      const upstream = connect(engine.socketPath);
      for (const [one, other] of [
        [socket, upstream],
        [upstream, socket],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
        one.pipe(other);
      }
    },
  );
  front.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listenOnLoopback(front);
  return {
    url: `tcp://127.0.0.1:${port}`,
    async stop() {
      const closed = new Promise<void>((resolve) => front.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
