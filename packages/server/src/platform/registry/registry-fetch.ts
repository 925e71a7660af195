import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
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
  /** Where this host has led so far; undefined when it was never connected to. */
  standingOf(hostname: string): Standing | undefined;
  close(): Promise<void>;
}

/**
 * Where a host has led since the start. A name can lead to several addresses, and to others a moment later; so what it may do
 * is judged by the outermost of all, and what may be told about it by the innermost.
 */
export interface Standing {
  readonly outermost: AddressClass;
  readonly innermost: AddressClass;
}

const order: readonly AddressClass[] = ['public', 'private', 'loopback'];

export function reaches(reach: Reach, kind: AddressClass): boolean {
  return kind !== 'forbidden' && order.indexOf(kind) <= order.indexOf(reach);
}

/**
 * Connections are kept and shared between requests of the same trust; certificates are always checked. `lookup` resolves names,
 * by default as the system does.
 */
export function createRegistryFetch({ lookup }: { lookup?: LookupFunction } = {}): RegistryFetch {
  const agents = new Map<string, Agent>();
  const standings = new Map<string, Standing>();

  function note(hostname: string, kinds: readonly AddressClass[]): void {
    const known = standings.get(hostname);
    const all = [...kinds, ...(known ? [known.outermost, known.innermost] : [])];
    const sorted = all.toSorted((one, other) => order.indexOf(one) - order.indexOf(other));
    const [outermost] = sorted;
    const innermost = sorted.at(-1);
    if (outermost && innermost) standings.set(hostname, { outermost, innermost });
  }

  function agentFor(reach: Reach, ca: string | undefined): Agent {
    const key = `${reach} ${ca === undefined ? '' : createHash('sha256').update(ca).digest('hex')}`;
    const known = agents.get(key);
    if (known) return known;
    const guarded = guardedLookup((kind) => reaches(reach, kind), note, lookup);
    const agent = new Agent({
      allowH2: false,
      keepAliveTimeout: 15_000,
      connect: { lookup: guarded, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) },
    });
    agents.set(key, agent);
    return agent;
  }

  return {
    async fetch({ method, url, headers, signal, reach, ca, maxBytes }) {
      const literal = guardLiteral(url.hostname, (kind) => reaches(reach, kind));
      if (literal !== undefined) note(url.hostname, [literal]);
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
    standingOf: (hostname) => standings.get(hostname),
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
