import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { TestEngine } from './engine-access.ts';
import { type EngineResponse, request } from './engine-request.ts';

/** A call on its way to the engine, as "METHOD /path?query" without the version prefix: "POST /containers/web/stop?t=1". */
export type EngineCall = string;

interface Rule {
  match: RegExp;
  times: number;
  act: 'cut-before' | 'cut-after' | 'hang' | 'refuse' | 'delay' | 'hook';
  status?: number;
  message?: string;
  delayMs?: number;
  before?: (call: EngineCall) => void | Promise<void>;
  after?: (call: EngineCall) => void | Promise<void>;
}

/** How often a rule acts before it is used up; for ever when left out. */
export interface Times {
  times?: number;
}

/** Stands between a client and an engine and makes single calls go wrong. */
export interface EngineProxy {
  socketPath: string;
  url: string;
  /** A raw request through the proxy. */
  request(method: string, path: string, body?: unknown): Promise<EngineResponse>;
  /** Calls that arrived, oldest first. */
  readonly calls: readonly EngineCall[];
  /** Passes the call on after so many milliseconds. */
  delay(match: RegExp, delayMs: number, options?: Times): void;
  /** The engine carries the call out, and its reply never reaches the client: the connection ends. */
  cutAfterRequest(match: RegExp, options?: Times): void;
  /** The connection ends before the engine sees the call. */
  cutBeforeRequest(match: RegExp, options?: Times): void;
  /** Answers the call itself, as a socket proxy with allow lists does; 403 when the status is left out. */
  refuse(match: RegExp, status?: number, message?: string, options?: Times): void;
  /** Takes the call and never answers; the engine does not see it. */
  hang(match: RegExp, options?: Times): void;
  /** Runs `before` until it is done before the engine sees the call, and `after` before the client sees the reply. */
  intercept(match: RegExp, hooks: Pick<Rule, 'before' | 'after'>, options?: Times): void;
  /** Forgets all rules. */
  clear(): void;
  /** Ends every open connection, event streams included; new ones work. */
  cutConnections(): void;
  /** Ends every connection and every new one at once, until `up`. */
  down(): void;
  up(): void;
  stop(): Promise<void>;
}

/** Starts the proxy on a Unix socket of its own. */
export async function startEngineProxy(engine: Pick<TestEngine, 'socketPath'>): Promise<EngineProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-proxy-'));
  const socketPath = join(directory, 'docker.sock');
  const calls: EngineCall[] = [];
  const rules: Rule[] = [];
  const sockets = new Set<Socket>();
  let reachable = true;

  function receive(request: IncomingMessage): { call: EngineCall; rule: Rule | undefined } {
    const call = `${request.method} ${(request.url ?? '').replace(/^\/v\d+\.\d+/, '')}`;
    calls.push(call);
    const rule = rules.find(({ match, times }) => times > 0 && match.test(call));
    if (rule !== undefined) rule.times -= 1;
    return { call, rule };
  }

  const server = createServer((request, response) => {
    const { call, rule } = receive(request);
    void handle(request, response, call, rule, engine.socketPath).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    if (!reachable) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    const { rule } = receive(request);
    upgrade(request, socket, head, rule, engine.socketPath);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));

  const add = (rule: Omit<Rule, 'times'>, { times = Number.POSITIVE_INFINITY }: Times = {}) =>
    void rules.push({ ...rule, times });
  const cutConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    socketPath,
    url: `unix://${socketPath}`,
    request: (method, path, body) => request(socketPath, method, path, body),
    calls,
    delay: (match, delayMs, options) => add({ match, act: 'delay', delayMs }, options),
    cutAfterRequest: (match, options) => add({ match, act: 'cut-after' }, options),
    cutBeforeRequest: (match, options) => add({ match, act: 'cut-before' }, options),
    refuse: (match, status = 403, message = 'Forbidden by the test bed', options = {}) =>
      add({ match, act: 'refuse', status, message }, options),
    hang: (match, options) => add({ match, act: 'hang' }, options),
    intercept: (match, hooks, options) => add({ match, act: 'hook', ...hooks }, options),
    clear: () => void rules.splice(0),
    cutConnections,
    down() {
      reachable = false;
      cutConnections();
    },
    up() {
      reachable = true;
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cutConnections();
      await closed;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  call: EngineCall,
  rule: Rule | undefined,
  socketPath: string,
): Promise<void> {
  if (rule?.act === 'cut-before') {
    request.socket.destroy();
    return;
  }
  if (rule?.act === 'hang') {
    request.resume();
    return;
  }
  if (rule?.act === 'refuse') {
    request.resume();
    const body = JSON.stringify({ message: rule.message });
    response.writeHead(rule.status ?? 403, { 'content-type': 'application/json' }).end(body);
    return;
  }
  if (rule?.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, rule.delayMs));
  await rule?.before?.(call);
  await forward(request, response, call, rule, socketPath);
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  call: EngineCall,
  rule: Rule | undefined,
  socketPath: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const upstream = send(
      { socketPath, method: request.method, path: request.url, headers: request.headers },
      (reply) => {
        const pass = async () => {
          if (rule?.act === 'cut-after') {
            // Read to the end first: for a pull or a wait, the end of the answer is the end of the work.
            reply.resume();
            reply.on('close', () => request.socket.destroy());
            return;
          }
          await rule?.after?.(call);
          response.writeHead(reply.statusCode ?? 502, reply.headers);
          response.flushHeaders();
          reply.pipe(response);
          reply.on('error', () => response.destroy());
        };
        pass().then(resolve, reject);
      },
    );
    upstream.on('error', reject);
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
}

/** exec and attach turn the connection into a raw stream; the head is passed on as it came. */
function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  rule: Rule | undefined,
  socketPath: string,
): void {
  socket.on('error', () => socket.destroy());
  if (rule?.act === 'cut-before') {
    socket.destroy();
    return;
  }
  if (rule?.act === 'hang') return;
  if (rule?.act === 'refuse') {
    socket.end(`HTTP/1.1 ${rule.status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    return;
  }
  const upstream = connect(socketPath, () => {
    const headers: string[] = [];
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      headers.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
    }
    upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    socket.pipe(upstream);
    upstream.pipe(socket);
  });
  upstream.on('error', () => socket.destroy());
  upstream.on('close', () => socket.destroy());
  socket.on('close', () => upstream.destroy());
}
