import { createHash } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { Agent } from 'undici';
import { type AddressClass, guardedLookup, guardLiteral } from './address-guard.ts';

/** How far inside a request may reach: `public` addresses only, private networks too, or loopback too. */
export type Reach = 'public' | 'private' | 'loopback';

export interface FetchRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly reach: Reach;
  /** PEM of a certificate authority that is trusted beside the public ones. */
  readonly ca: string | undefined;
  readonly maxBytes: number;
}

export interface FetchAnswer {
  readonly status: number;
  readonly url: URL;
  readonly header: (name: string) => string | undefined;
  readonly challenges: readonly string[];
  /** What the request carried. */
  readonly sentAuthorization: string | undefined;
  readonly body: Buffer;
}

/** One HTTP exchange without redirects, retries or authentication. */
export interface RegistryFetch {
  fetch(request: FetchRequest): Promise<FetchAnswer>;
  /** Class of the address that this host led to when it was last connected to. */
  classOf(hostname: string): AddressClass | undefined;
  close(): Promise<void>;
}

const order: readonly AddressClass[] = ['public', 'private', 'loopback'];

export function reaches(reach: Reach, kind: AddressClass): boolean {
  return kind !== 'forbidden' && order.indexOf(kind) <= order.indexOf(reach);
}

/** Connections are kept and shared between requests of the same trust; certificates are always checked. */
export function createRegistryFetch(): RegistryFetch {
  const agents = new Map<string, Agent>();
  const classes = new Map<string, AddressClass>();

  function agentFor(reach: Reach, ca: string | undefined): Agent {
    const key = `${reach} ${ca === undefined ? '' : createHash('sha256').update(ca).digest('hex')}`;
    const known = agents.get(key);
    if (known) return known;
    const lookup = guardedLookup(
      (kind) => reaches(reach, kind),
      (hostname, kind) => classes.set(hostname, kind),
    );
    const agent = new Agent({
      allowH2: false,
      keepAliveTimeout: 15_000,
      connect: { lookup, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) },
    });
    agents.set(key, agent);
    return agent;
  }

  return {
    async fetch({ method, url, headers, signal, reach, ca, maxBytes }) {
      const literal = guardLiteral(url.hostname, (kind) => reaches(reach, kind));
      if (literal !== undefined) classes.set(url.hostname, literal);
      const response = await agentFor(reach, ca).request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { 'user-agent': 'evenkeel', ...headers },
        signal,
        // Without this, undici closes the connection after every HEAD.
        reset: false,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response.body) {
        const part = chunk as Buffer;
        size += part.length;
        if (size > maxBytes) throw new BodyTooLarge(maxBytes);
        chunks.push(part);
      }
      const header = (name: string): string | undefined => {
        const value = response.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      };
      const challenges = response.headers['www-authenticate'] ?? [];
      return {
        status: response.statusCode,
        url,
        header,
        sentAuthorization: headers['authorization'],
        challenges: typeof challenges === 'string' ? [challenges] : challenges,
        body: Buffer.concat(chunks),
      };
    },
    classOf: (hostname) => classes.get(hostname),
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

/** The answer is longer than any honest one. */
export class BodyTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the answer is longer than ${maxBytes} bytes`);
    this.name = 'BodyTooLarge';
  }
}
