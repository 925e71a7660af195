import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Certificate } from './certificates.ts';
import { closeServer, listenOnLoopback } from './listen.ts';

/** One request that reached the registry's address. */
export interface RegistryRequest {
  method: string;
  /** With the query. */
  path: string;
  /** Status of the answer; 0 while there is none, and for an answer that never came. */
  status: number;
  /** Whether it carried an Authorization header. */
  authorization: boolean;
  headers: IncomingHttpHeaders;
}

/** What goes wrong between a client and the registry. Several can be given; the first that matches acts. */
export interface RegistryFault {
  /** Tested against "METHOD path"; every request when left out. */
  match?: RegExp;
  /** How often it acts before it is used up; for ever when left out. */
  times?: number;
  /** Wait before anything else happens. */
  delayMs?: number;
  /** Answer with this status instead of asking the registry. */
  status?: 401 | 403 | 404 | 429 | 500 | 502 | 503 | 504;
  /** Retry-After of that answer. */
  retryAfter?: string;
  /** Body of that answer. */
  body?: string;
  /** Headers added to the registry's or the fault's answer. */
  headers?: Record<string, string>;
  /** Cut the connection after so many bytes of the body; 0 cuts before the answer. */
  cutAfterBytes?: number;
  /** Never answer. */
  hang?: boolean;
  /** Send another Docker-Content-Digest than the content has. */
  wrongDigest?: boolean;
  /** Send no Docker-Content-Digest. */
  noDigest?: boolean;
}

/** Counts requests and injects faults in front of a registry. */
export interface RegistryProxy {
  port: number;
  /** Requests since the start or the last reset, oldest first. */
  requests: RegistryRequest[];
  faults: RegistryFault[];
  stop(): Promise<void>;
}

/** Starts the proxy on a port of the loopback in front of the registry's port; with a certificate it speaks TLS. */
export async function startRegistryProxy(
  upstreamPort: number,
  options: { port?: number; certificate?: Certificate | undefined } = {},
): Promise<RegistryProxy> {
  const proxy: RegistryProxy = { port: 0, requests: [], faults: [], stop: () => closeServer(server) };
  const { certificate } = options;
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const note: RegistryRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      status: 0,
      authorization: request.headers.authorization !== undefined,
      headers: request.headers,
    };
    proxy.requests.push(note);
    const fault = takeFault(proxy.faults, `${note.method} ${note.path}`);
    const act = () => answer(request, response, note, fault ?? {}, upstreamPort);
    if (fault?.delayMs === undefined) act();
    else setTimeout(act, fault.delayMs);
  };
  const server =
    certificate === undefined
      ? createHttpServer(handle)
      : createHttpsServer({ key: certificate.key, cert: certificate.certificate }, handle);
  // An engine tries TLS first on a plain port; that is not a request.
  server.on('clientError', (_, socket) => socket.destroy());
  proxy.port = await listenOnLoopback(server, options.port);
  return proxy;
}

function takeFault(faults: RegistryFault[], line: string): RegistryFault | undefined {
  const fault = faults.find(({ match, times }) => (times ?? 1) > 0 && (match === undefined || match.test(line)));
  if (fault?.times !== undefined) fault.times -= 1;
  return fault;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  note: RegistryRequest,
  fault: RegistryFault,
  upstreamPort: number,
): void {
  if (fault.hang) {
    request.resume();
    return;
  }
  if (fault.status !== undefined) {
    request.resume();
    note.status = fault.status;
    const retryAfter = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
    const body = fault.body ?? JSON.stringify({ errors: [{ code: 'TESTBED', message: `fault ${fault.status}` }] });
    response.writeHead(fault.status, { 'content-type': 'application/json', ...retryAfter, ...fault.headers }).end(body);
    return;
  }
  if (fault.cutAfterBytes === 0) {
    request.socket.destroy();
    return;
  }
  forward(request, response, note, fault, upstreamPort);
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  note: RegistryRequest,
  fault: RegistryFault,
  port: number,
): void {
  const upstream = send(
    { host: '127.0.0.1', port, method: note.method, path: note.path, headers: request.headers },
    (reply) => {
      note.status = reply.statusCode ?? 0;
      const headers = { ...reply.headers, ...fault.headers };
      if (fault.wrongDigest) headers['docker-content-digest'] = `sha256:${'0'.repeat(64)}`;
      if (fault.noDigest) delete headers['docker-content-digest'];
      response.writeHead(note.status, headers);
      if (fault.cutAfterBytes === undefined) reply.pipe(response);
      else cutAfter(reply, response, fault.cutAfterBytes);
      reply.on('error', () => response.destroy());
    },
  );
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}

function cutAfter(reply: IncomingMessage, response: ServerResponse, bytes: number): void {
  let left = bytes;
  reply.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    response.write(part, () => left <= 0 && response.destroy());
  });
  reply.on('end', () => response.end());
}
