import { createPrivateKey } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { importPKCS8, SignJWT } from 'jose';
import type { Certificate } from './certificates.ts';
import { closeServer, listenOnLoopback } from './listen.ts';

/** One request that reached the token server. */
export interface TokenRequest {
  method: string;
  path: string;
  scopes: string[];
  service: string | undefined;
  /** The user name of the Basic credentials; undefined for an anonymous request. */
  username: string | undefined;
  status: number;
}

export interface TokenServerOptions {
  certificate: Certificate;
  username: string;
  password: string;
  service: string;
  issuer: string;
  /** Anonymous requests get a token for pulling, as on public registries. */
  anonymousPull: boolean;
  /** Seconds that a token is valid; 300 when left out. */
  expiresIn?: number;
  /** Name of the field that carries the token; "token" when left out. */
  field?: 'token' | 'access_token';
}

/** The authorization service of a token registry (Docker Registry v2 authentication, "Token Authentication Specification"). */
export interface TokenServer {
  realm: string;
  requests: TokenRequest[];
  /** Answer every request with this status until it is undefined again. */
  failWith: number | undefined;
  /** A token that may do everything with the repository; for our own pushes. */
  issue(repository: string): Promise<string>;
  stop(): Promise<void>;
}

interface Access {
  type: string;
  name: string;
  actions: string[];
}

/** Starts the service on a free port of the loopback. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { username, password, service, issuer, anonymousPull, expiresIn = 300, field = 'token' } = options;
  const pkcs8 = createPrivateKey(options.certificate.key).export({ type: 'pkcs8', format: 'pem' }) as string;
  const key = await importPKCS8(pkcs8, 'ES256');
  const x5c = [options.certificate.certificate.replace(/-----[^-]+-----|\s/g, '')];

  function sign(subject: string, access: Access[]): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ access })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience(service)
      .setIssuedAt(now)
      .setNotBefore(now - 10)
      .setExpirationTime(now + expiresIn)
      .setJti(crypto.randomUUID())
      .sign(key);
  }

  async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const url = new URL(request.url ?? '/', 'http://token');
    const basic = basicCredentials(request.headers.authorization);
    const scopes = url.searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
    const note: TokenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      scopes,
      service: url.searchParams.get('service') ?? undefined,
      username: basic?.username,
      status: 200,
    };
    server.requests.push(note);
    if (server.failWith !== undefined) {
      note.status = server.failWith;
      return { status: note.status, body: { details: 'the token service is out of order' } };
    }
    const known = basic !== undefined && basic.username === username && basic.password === password;
    if (!known && (basic !== undefined || !anonymousPull)) {
      note.status = 401;
      return { status: 401, body: { details: 'incorrect username or password' } };
    }
    const access = scopes
      .map(parseScope)
      .map((entry) => (known ? entry : { ...entry, actions: entry.actions.filter((action) => action === 'pull') }));
    const token = await sign(basic?.username ?? '', access);
    return { status: 200, body: { [field]: token, expires_in: expiresIn, issued_at: new Date().toISOString() } };
  }

  const listener = createServer((request, response) => {
    request.resume();
    answer(request).then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  const port = await listenOnLoopback(listener);
  const server: TokenServer = {
    realm: `http://127.0.0.1:${port}/token`,
    requests: [],
    failWith: undefined,
    issue: (repository) =>
      sign('testbed', [{ type: 'repository', name: repository, actions: ['pull', 'push', 'delete', '*'] }]),
    stop: () => closeServer(listener),
  };
  return server;
}

/** "repository:shop/web:pull,push" → its parts; the name may hold colons of a port. */
function parseScope(scope: string): Access {
  const first = scope.indexOf(':');
  const last = scope.lastIndexOf(':');
  return { type: scope.slice(0, first), name: scope.slice(first + 1, last), actions: scope.slice(last + 1).split(',') };
}

function basicCredentials(header: string | undefined): { username: string; password: string } | undefined {
  const encoded = /^basic\s+(.+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
