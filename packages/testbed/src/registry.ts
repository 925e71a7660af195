import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, createCertificate } from './certificates.ts';
import { inTurn } from './in-turn.ts';
import { type RegistryFault, type RegistryRequest, startRegistryProxy } from './registry-proxy.ts';
import { type RegistryServerOptions, startRegistryServer } from './registry-server.ts';
import { ownRegistry, sweepAbandonedRegistries } from './registry-sweep.ts';
import { startTokenServer, type TokenRequest, type TokenServer } from './token-server.ts';

export interface RegistryOptions {
  /** Who may pull: everybody, or only the holder of `credentials`, by Basic or by token. "none" when left out. */
  auth?: 'none' | 'basic' | 'token';
  /** Where the registry keeps its content; a temporary directory, removed on `stop`, when left out. */
  directory?: string;
  /** Port of our proxy; a free one when left out or 0. */
  port?: number;
  /** Speak TLS with a certificate that nobody trusts (see `certificate` for the one to trust). */
  tls?: boolean;
  /** With token: anonymous clients may pull, as on a public registry. */
  anonymousPull?: boolean;
  /** With token: seconds that a token is valid. */
  tokenExpiresIn?: number;
  /** With token: the field of the answer that carries the token. */
  tokenField?: 'token' | 'access_token';
}

/** A real registry behind a proxy of ours that counts requests and injects faults. */
export interface TestRegistry {
  /** "http://127.0.0.1:PORT", or https. */
  url: string;
  /** "127.0.0.1:PORT": the domain of references. */
  host: string;
  /** "localhost:PORT", the same registry by its other name. */
  localhost: string;
  /** Requests that reached the address, oldest first. Our own pushes go past the proxy and are not among them. */
  readonly requests: readonly RegistryRequest[];
  /** Requests that reached the token server. */
  readonly tokenRequests: readonly TokenRequest[];
  resetCounts(): void;
  faults: {
    /** Adds a fault; the first one that matches acts. */
    set(fault: RegistryFault): void;
    clear(): void;
  };
  /** The token server answers with this status; undefined heals it. */
  failTokens(status: number | undefined): void;
  /** The only account; undefined without authentication. */
  credentials: { username: string; password: string } | undefined;
  /** PEM of the certificate with `tls`. */
  certificate: string | undefined;
  /** Past the proxy: for pushing without being counted or disturbed. */
  direct: { url: string; authorization(repository: string): Promise<string | undefined> };
  stop(): Promise<void>;
}

const account = { username: 'keeper', password: 'correct-horse' };

/** Starts docker-registry and the proxy in front. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const { auth = 'none' } = options;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'evenkeel-registry-'));
  mkdirSync(directory, { recursive: true });
  await sweepAbandonedRegistries();
  ownRegistry(directory, options.directory === undefined);
  const tokens = auth === 'token' ? await startTokens(directory, options) : undefined;
  const certificate = options.tls ? createCertificate(directory, 'registry') : undefined;
  const server = await startRegistryServer({ directory, auth: serverAuth(auth, tokens) });
  const stopParts = () =>
    inTurn(
      () => server.stop(),
      () => tokens?.server.stop(),
      () => options.directory === undefined && rmSync(directory, { recursive: true, force: true }),
    );
  const frontOptions = { port: options.port ?? 0, certificate, tokens: tokens?.server };
  const front = await createFront(server.port, frontOptions).catch(async (error: unknown) => {
    await stopParts();
    throw error;
  });
  const basic = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}`;
  return {
    ...front,
    credentials: auth === 'none' ? undefined : { ...account },
    direct: {
      url: `http://127.0.0.1:${server.port}`,
      async authorization(repository) {
        if (tokens !== undefined) return `Bearer ${await tokens.server.issue(repository)}`;
        return auth === 'basic' ? basic : undefined;
      },
    },
    stop: () => inTurn(() => front.stop(), stopParts),
  };
}

/** A counting proxy of one's own in front of a registry that somebody else started, without authentication. */
export async function connectRegistry(directUrl: string): Promise<TestRegistry> {
  const front = await createFront(Number(new URL(directUrl).port), { port: 0 });
  return { ...front, credentials: undefined, direct: { url: directUrl, authorization: async () => undefined } };
}

interface FrontOptions {
  port: number;
  certificate?: Certificate | undefined;
  tokens?: TokenServer | undefined;
}

async function createFront(upstreamPort: number, { port, certificate, tokens }: FrontOptions) {
  const proxy = await startRegistryProxy(upstreamPort, { port, certificate });
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${proxy.port}`,
    host: `127.0.0.1:${proxy.port}`,
    localhost: `localhost:${proxy.port}`,
    requests: proxy.requests as readonly RegistryRequest[],
    tokenRequests: (tokens?.requests ?? []) as readonly TokenRequest[],
    certificate: certificate?.certificate,
    resetCounts() {
      proxy.requests.length = 0;
      if (tokens !== undefined) tokens.requests.length = 0;
    },
    faults: {
      set: (fault: RegistryFault) => void proxy.faults.push({ ...fault }),
      clear: () => void proxy.faults.splice(0),
    },
    failTokens(status: number | undefined) {
      if (tokens === undefined) throw new Error('This registry has no token server; start it with auth: "token".');
      tokens.failWith = status;
    },
    stop: () => proxy.stop(),
  };
}

interface Tokens {
  server: TokenServer;
  certificate: Certificate;
}

const service = 'registry.testbed';
const issuer = 'auth.testbed';

async function startTokens(directory: string, options: RegistryOptions): Promise<Tokens> {
  const certificate = createCertificate(directory, 'tokens');
  const server = await startTokenServer({
    ...account,
    certificate,
    service,
    issuer,
    anonymousPull: options.anonymousPull ?? false,
    ...(options.tokenExpiresIn === undefined ? {} : { expiresIn: options.tokenExpiresIn }),
    ...(options.tokenField === undefined ? {} : { field: options.tokenField }),
  });
  return { server, certificate };
}

function serverAuth(auth: 'none' | 'basic' | 'token', tokens: Tokens | undefined): RegistryServerOptions['auth'] {
  if (tokens !== undefined) {
    return {
      kind: 'token',
      realm: tokens.server.realm,
      service,
      issuer,
      certificateFile: tokens.certificate.certificateFile,
    };
  }
  return auth === 'basic' ? { kind: 'basic', ...account } : { kind: 'none' };
}
