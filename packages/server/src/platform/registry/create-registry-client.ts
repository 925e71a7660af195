import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.ts';
import type { Log } from '../log/log.ts';
import { type BlobStore, createBlobCache } from './blob-cache.ts';
import { type CredentialSource, createRegistryAuth } from './registry-auth.ts';
import { createRegistryCalls } from './registry-calls.ts';
import { type RegistryClient, RegistryError, type RepositoryName } from './registry-client.ts';
import { parseImageConfig, parseManifest } from './registry-documents.ts';
import { createRegistryFetch, type RegistryFetch } from './registry-fetch.ts';
import { createRegistryTransport } from './registry-transport.ts';
import { canonicalRegistry, type RegistryTrust } from './registry-trust.ts';
import { createTagPages } from './tag-pages.ts';

export interface RegistryClientOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 up to 1, for jitter. */
  readonly random: () => number;
  /** `host` as in references, with port, lower case; `docker.io` for Docker Hub. */
  readonly credentialsFor: CredentialSource;
  /** Why there are no credentials for a host although somebody has named some; a sentence for the reason of a refusal. */
  readonly whyNoCredentials?: (host: string) => string | undefined;
  /**
   * Undefined for hosts that no administrator has named. Those are asked on public and private addresses, not on the loopback,
   * and what is said of their failures on a private network does not tell which.
   */
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
/** The least that every registry takes as a manifest (OCI distribution spec 1.1, "Pushing manifests"); honest ones are far below. */
const mostDocumentBytes = 4 * 1_048_576;
const mostPageBytes = 8 * 1_048_576;
const cacheCharacters = 16 * 1_048_576;

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
  const calls = createRegistryCalls({
    clock,
    random,
    auth,
    transport,
    whyNoCredentials: options.whyNoCredentials ?? (() => undefined),
  });
  const cache = createBlobCache({
    mostCharacters: cacheCharacters,
    store: options.blobs,
    onStoreFailure: (error) => log.debug({ err: error }, 'the cache of registry documents cannot be used'),
  });
  const inFlight = new Map<string, Promise<unknown>>();
  const tagPages = createTagPages((repository, target, headers) =>
    call(repository, 'GET', target, headers, mostPageBytes),
  );

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
    maxBytes = mostDocumentBytes,
  ) {
    const signal = closing.signal;
    return calls.call({ host, repository: path, method, target, headers, maxBytes, signal });
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

  /** Manifests count as pulls, HEAD does not. Looking for updates leaves a part of the limit to the pulls that bring them. */
  function respectRateLimit(host: string): void {
    const limit = calls.rateLimit(host);
    if (limit === undefined || limit.remaining > limit.reserve) return;
    const state =
      limit.remaining === 0
        ? `The pull limit of ${host} is used up`
        : `${host} allows ${limit.remaining} pulls more for now, and these are kept for updates`;
    const text = `${state}; manifests are asked for again when it has recovered.`;
    throw new RegistryError('busy', host, text);
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
    return cache.get(digest, `${repository.host}/${repository.path}`, async () => {
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

  /** What it says about the credentials that `/v2/` has answered well. */
  async function judge(host: string, name: string, sent: string | undefined) {
    if ((await credentialsFor(host)) === undefined) {
      return { ok: true, detail: `${name} answers; no credentials were needed.` };
    }
    if (await auth.provesCredentials(host, sent)) return { ok: true, detail: `${name} accepts the credentials.` };
    if (sent === undefined) return { ok: true, detail: `${name} answers and did not ask for the credentials.` };
    const service = auth.tokenService(host) ?? 'another host';
    const text = `${name} answers, but the credentials were not used: its token service is ${service}. Name that as token host of this registry if it belongs to it.`;
    return { ok: false, detail: text };
  }

  const keyOf = ({ host, path }: RepositoryName, digest: string) => `${host}/${path}@${digest}`;
  const named = ({ host, path }: RepositoryName): RepositoryName => ({ host: canonicalRegistry(host), path });

  return {
    resolve(name, tag, signal) {
      const repository = named(name);
      return share(`tag ${repository.host}/${repository.path}:${tag}`, signal, () => resolve(repository, tag));
    },
    async manifest(name, digest, signal) {
      const repository = named(name);
      const text = await share(`manifest ${keyOf(repository, digest)}`, signal, () =>
        document(repository, digest, 'manifests'),
      );
      return text === undefined ? undefined : understand(repository, digest, () => parseManifest(text, ''));
    },
    async imageConfig(name, digest, signal) {
      const repository = named(name);
      const text = await share(`blob ${keyOf(repository, digest)}`, signal, () =>
        document(repository, digest, 'blobs'),
      );
      return text === undefined ? undefined : understand(repository, digest, () => parseImageConfig(text));
    },
    tags(name, signal) {
      const repository = named(name);
      return share(`tags ${repository.host}/${repository.path}`, signal, () => tagPages.list(repository));
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
        return await judge(repository.host, host, answer.sentAuthorization);
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
