import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.ts';
import type { Log } from '../log/log.ts';
import { type BlobStore, createBlobCache } from './blob-cache.ts';
import { createRegistryAuth } from './registry-auth.ts';
import { createRegistryCalls } from './registry-calls.ts';
import { type RegistryClient, RegistryError, type RepositoryName } from './registry-client.ts';
import { parseImageConfig, parseManifest, TagPage } from './registry-documents.ts';
import { createRegistryFetch, type RegistryFetch } from './registry-fetch.ts';
import { createRegistryTransport } from './registry-transport.ts';
import { canonicalRegistry, type RegistryCredential, type RegistryTrust } from './registry-trust.ts';
import { mostTagPages, nextPage } from './tag-pages.ts';

export interface RegistryClientOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 up to 1, for jitter. */
  readonly random: () => number;
  /** `host` as in references, with port, lower case; `docker.io` for Docker Hub. */
  readonly credentialsFor: (host: string) => RegistryCredential | undefined;
  /** Undefined for hosts that nobody has said anything about. */
  readonly trustFor: (host: string) => RegistryTrust | undefined;
  readonly blobs?: BlobStore;
  readonly fetcher?: RegistryFetch;
  /** Default 15 seconds. */
  readonly timeoutMilliseconds?: number;
}

const accept = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const digestPattern = /^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;
const mostBytes = 8 * 1_048_576;
const cacheCharacters = 16 * 1_048_576;
const mostRememberedPages = 500;

interface RememberedPage {
  readonly etag: string;
  readonly tags: readonly string[];
  readonly next: string | undefined;
}

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const { clock, log, random, credentialsFor, trustFor } = options;
  const fetcher = options.fetcher ?? createRegistryFetch();
  const closing = new AbortController();
  // Every request in flight listens.
  setMaxListeners(0, closing.signal);
  const requests = new Map<string, number>();
  const transport = createRegistryTransport({
    fetcher,
    trustFor,
    timeoutMilliseconds: options.timeoutMilliseconds ?? 15_000,
    onAnswer(host, method, status) {
      const key = `${host} ${method} ${status}`;
      requests.set(key, (requests.get(key) ?? 0) + 1);
    },
  });
  const auth = createRegistryAuth({ clock, transport, credentialsFor, trustFor });
  const calls = createRegistryCalls({ clock, random, auth, transport });
  const cache = createBlobCache({
    mostCharacters: cacheCharacters,
    store: options.blobs,
    onStoreFailure: (error) => log.debug({ err: error }, 'the cache of registry documents cannot be used'),
  });
  const inFlight = new Map<string, Promise<unknown>>();
  const pages = new Map<string, RememberedPage>();

  /** Callers for the same thing share one request; a caller that gives up leaves it to the others. */
  function share<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    let running = inFlight.get(key) as Promise<T> | undefined;
    if (running === undefined) {
      running = work().finally(() => inFlight.delete(key));
      inFlight.set(key, running);
    }
    if (signal === undefined) return running;
    const shared = running;
    return new Promise<T>((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  function call(
    { host, path }: RepositoryName,
    method: 'GET' | 'HEAD',
    target: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    const signal = closing.signal;
    return calls.call({ host, repository: path, method, target, headers, maxBytes: mostBytes, signal });
  }

  async function resolve(repository: RepositoryName, tag: string): Promise<string | undefined> {
    const target = `/v2/${repository.path}/manifests/${tag}`;
    const answer = await call(repository, 'HEAD', target, { accept });
    if (answer.status === 404) return undefined;
    const digest = answer.header('docker-content-digest');
    if (digest !== undefined && digestPattern.test(digest)) return digest;
    const full = await call(repository, 'GET', target, { accept });
    if (full.status === 404) return undefined;
    return `sha256:${createHash('sha256').update(full.body).digest('hex')}`;
  }

  /** A rate limit that is used up is known before the request: manifests count as pulls, HEAD does not. */
  function respectRateLimit(host: string): void {
    const { rateLimitRemaining } = calls.health(host);
    if (rateLimitRemaining !== 0) return;
    throw new RegistryError(
      'busy',
      host,
      `The pull limit of ${host} is used up; manifests are asked for again when it has recovered.`,
    );
  }

  function document(
    repository: RepositoryName,
    digest: string,
    kind: 'manifests' | 'blobs',
  ): Promise<string | undefined> {
    if (!digestPattern.test(digest)) {
      return Promise.reject(
        new RegistryError('broken', repository.host, `"${digest.slice(0, 80)}" is not a digest that we can verify.`),
      );
    }
    return cache.get(digest, async () => {
      if (kind === 'manifests') respectRateLimit(repository.host);
      const headers = kind === 'manifests' ? { accept } : { accept: 'application/octet-stream, application/json' };
      const answer = await call(repository, 'GET', `/v2/${repository.path}/${kind}/${digest}`, headers);
      if (answer.status === 404) return undefined;
      const [algorithm = 'sha256', hash] = digest.split(':');
      if (createHash(algorithm).update(answer.body).digest('hex') !== hash) {
        const text = `The registry ${repository.host} gave something else than ${digest} for ${repository.path}: its hash is wrong.`;
        throw new RegistryError('broken', repository.host, text);
      }
      return answer.body.toString('utf8');
    });
  }

  function understand<T>(repository: RepositoryName, digest: string, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      const text = `The registry ${repository.host} holds a document for ${repository.path} that is no image (${digest}).`;
      throw new RegistryError('broken', repository.host, text, { cause: error });
    }
  }

  async function tags(repository: RepositoryName): Promise<string[] | undefined> {
    const all: string[] = [];
    const seen = new Set<string>();
    let target: string | undefined = `/v2/${repository.path}/tags/list?n=1000`;
    while (target !== undefined) {
      if (seen.has(target) || seen.size >= mostTagPages) {
        const what = seen.has(target)
          ? 'links its pages of tags in a circle'
          : `has more than ${mostTagPages} pages of tags`;
        throw new RegistryError(
          'broken',
          repository.host,
          `The registry ${repository.host} ${what} for ${repository.path}.`,
        );
      }
      seen.add(target);
      const page = await tagPage(repository, target);
      if (page === undefined) return seen.size === 1 ? undefined : all;
      for (const tag of page.tags) all.push(tag);
      target = page.next;
    }
    return all;
  }

  async function tagPage(repository: RepositoryName, target: string) {
    const { host } = repository;
    const key = `${host}${target}`;
    const known = pages.get(key);
    const answer = await call(repository, 'GET', target, known ? { 'if-none-match': known.etag } : {});
    if (answer.status === 404) return undefined;
    if (answer.status === 304 && known) return known;
    const list = understand(repository, target, () => TagPage.parse(JSON.parse(answer.body.toString('utf8'))));
    const page = { tags: list.tags ?? [], next: nextPage(host, answer.header('link'), answer.url) };
    const etag = answer.header('etag');
    pages.delete(key);
    if (etag !== undefined) pages.set(key, { etag, ...page });
    const [oldest] = pages.keys();
    if (pages.size > mostRememberedPages && oldest !== undefined) pages.delete(oldest);
    return page;
  }

  const named = ({ host, path }: RepositoryName): RepositoryName => ({ host: canonicalRegistry(host), path });

  return {
    resolve(name, tag, signal) {
      const repository = named(name);
      return share(`tag ${repository.host}/${repository.path}:${tag}`, signal, () => resolve(repository, tag));
    },
    async manifest(name, digest, signal) {
      const repository = named(name);
      const text = await share(`manifest ${digest}`, signal, () => document(repository, digest, 'manifests'));
      return text === undefined ? undefined : understand(repository, digest, () => parseManifest(text, ''));
    },
    async imageConfig(name, digest, signal) {
      const repository = named(name);
      const text = await share(`blob ${digest}`, signal, () => document(repository, digest, 'blobs'));
      return text === undefined ? undefined : understand(repository, digest, () => parseImageConfig(text));
    },
    tags(name, signal) {
      const repository = named(name);
      return share(`tags ${repository.host}/${repository.path}`, signal, () => tags(repository));
    },
    health(host) {
      const name = canonicalRegistry(host);
      const counts = [...requests].filter(([key]) => key.startsWith(`${name} `));
      return { ...calls.health(name), requests: counts.reduce((sum, [, count]) => sum + count, 0) };
    },
    counters() {
      return [...requests].map(([key, count]) => {
        const [host = '', method = '', status = '0'] = key.split(' ');
        return { host, method, status: Number(status), count };
      });
    },
    async test(host, signal) {
      const repository = { host: canonicalRegistry(host), path: '' };
      try {
        const answer = await share(`test ${repository.host}`, signal, () => call(repository, 'GET', '/v2/'));
        if (answer.status === 404)
          return { ok: false, detail: `${host} answers, but is not a registry (404 for /v2/).` };
        const signedIn = credentialsFor(repository.host) !== undefined && answer.sentAuthorization !== undefined;
        return {
          ok: true,
          detail: signedIn ? `${host} accepts the credentials.` : `${host} answers; no credentials were needed.`,
        };
      } catch (error) {
        if (error instanceof RegistryError) return { ok: false, detail: error.message };
        throw error;
      }
    },
    async close() {
      closing.abort(new RegistryError('sick', '', 'The server is stopping.'));
      await Promise.allSettled(inFlight.values());
      await fetcher.close();
    },
  };
}
