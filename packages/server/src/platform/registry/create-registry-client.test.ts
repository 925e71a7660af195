import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createRegistryClient, type RegistryClientOptions } from './create-registry-client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly accept: string | undefined;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server of ours that speaks the registry protocol as the handler says, and notes what reached it. */
async function serve(handler: Handler): Promise<{ host: string; port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { authorization, accept } = request.headers;
    seen.push({ method: request.method ?? '', url: request.url ?? '', authorization, accept });
    handler(request, response);
  });
  server.on('clientError', (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { host: `127.0.0.1:${port}`, port, seen };
}

/** Time that only passes when somebody waits. */
function passingClock() {
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

function client(options: Partial<RegistryClientOptions> = {}) {
  const made = createRegistryClient({
    clock: systemClock,
    log: pino({ level: 'silent' }),
    random: () => 0,
    credentialsFor: () => undefined,
    trustFor: () => undefined,
    timeoutMilliseconds: 20_000,
    ...options,
  });
  closers.push(() => made.close());
  return made;
}

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const manifest = JSON.stringify({
  schemaVersion: 2,
  config: { mediaType: 'c', digest: digestOf('config'), size: 6 },
  layers: [],
});
const digest = digestOf(manifest);
const good: Handler = (_, response) => response.setHeader('docker-content-digest', digest).end();

describe('resolving a tag', () => {
  it('is one HEAD with all four types', async () => {
    const { host, seen } = await serve(good);
    expect(await client().resolve({ host, path: 'a/b' }, '1')).toBe(digest);
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['HEAD /v2/a/b/manifests/1']);
    for (const type of [
      'oci.image.index.v1',
      'oci.image.manifest.v1',
      'distribution.manifest.list.v2',
      'distribution.manifest.v2',
    ]) {
      expect(seen[0]?.accept).toContain(type);
    }
  });

  it('fetches and hashes where the digest header is missing', async () => {
    const { host, seen } = await serve((_, response) => response.end(manifest));
    expect(await client().resolve({ host, path: 'a' }, '1')).toBe(digest);
    expect(seen.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it('is asked for once however many wait for it', async () => {
    const { host, seen } = await serve(good);
    const one = client();
    await Promise.all(Array.from({ length: 20 }, () => one.resolve({ host, path: 'a' }, '1')));
    expect(seen).toHaveLength(1);
  });

  it('is undefined where the registry says 404', async () => {
    const { host } = await serve((_, response) => response.writeHead(404).end());
    expect(await client().resolve({ host, path: 'a' }, '1')).toBeUndefined();
  });

  it.each([
    [500, 'sick'],
    [403, 'denied'],
    [418, 'broken'],
  ] as const)('status %i is %s, not an empty answer', async (status, kind) => {
    const { host } = await serve((_, response) => response.writeHead(status).end());
    await expect(client().resolve({ host, path: 'a' }, '1')).rejects.toMatchObject({ kind, host });
  });

  it('a host that never answers ends with a sentence, and one time-out for many images', async () => {
    const { host, seen } = await serve(() => {});
    const one = client({ timeoutMilliseconds: 700 });
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, (_, index) => one.resolve({ host, path: `a${index}` }, '1')),
    );
    expect(results.every((result) => result.status === 'rejected')).toBe(true);
    expect((results[59] as PromiseRejectedResult).reason).toMatchObject({
      kind: 'sick',
      message: expect.stringContaining('did not answer'),
    });
    expect(seen.length).toBeLessThanOrEqual(12);
  });

  it('one image that hangs does not hold up the others of its host', async () => {
    const { host } = await serve((request, response) => {
      if (!request.url?.includes('hangs')) good(request, response);
    });
    const one = client();
    const hanging = one.resolve({ host, path: 'hangs' }, '1').catch(() => 'failed');
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, index) => one.resolve({ host, path: `a${index}` }, '1')),
    );
    expect(others).toEqual(Array.from({ length: 20 }, () => digest));
    await one.close();
    expect(await hanging).toBe('failed');
  });
});

describe('documents by digest', () => {
  it('are fetched once and verified', async () => {
    const { host, seen } = await serve((_, response) => response.end(manifest));
    const one = client();
    expect(await one.manifest({ host, path: 'a' }, digest)).toMatchObject({ kind: 'image' });
    expect(await one.manifest({ host, path: 'a' }, digest)).toMatchObject({ kind: 'image' });
    expect(seen).toHaveLength(1);
  });

  it('with another hash are refused and not remembered', async () => {
    let body = 'something else';
    const { host } = await serve((_, response) => response.end(body));
    const one = client();
    await expect(one.manifest({ host, path: 'a' }, digest)).rejects.toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('hash'),
    });
    body = manifest;
    expect(await one.manifest({ host, path: 'a' }, digest)).toMatchObject({ kind: 'image' });
  });

  it('outlast a restart in the store', async () => {
    const texts = new Map<string, string>();
    const blobs = {
      get: async (key: string) => texts.get(key),
      put: async (key: string, text: string) => void texts.set(key, text),
    };
    const { host, seen } = await serve((_, response) => response.end(manifest));
    await client({ blobs }).manifest({ host, path: 'a' }, digest);
    await client({ blobs }).manifest({ host, path: 'a' }, digest);
    expect(seen).toHaveLength(1);
  });

  it('longer than any honest one are refused', async () => {
    const { host } = await serve((_, response) => response.end(Buffer.alloc(9 * 1_048_576)));
    await expect(client().manifest({ host, path: 'a' }, digest)).rejects.toMatchObject({ kind: 'broken' });
  });

  it('are not asked for when the pull limit is used up, while HEAD goes on', async () => {
    const { host, seen } = await serve((request, response) => {
      response.setHeader('ratelimit-remaining', '0;w=21600');
      good(request, response);
    });
    const one = client();
    await one.resolve({ host, path: 'a' }, '1');
    await expect(one.manifest({ host, path: 'a' }, digest)).rejects.toMatchObject({ kind: 'busy' });
    await one.resolve({ host, path: 'a' }, '2');
    expect(seen.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
    expect(one.health(host)).toMatchObject({ rateLimitRemaining: 0, requests: 2 });
  });
});

describe('a registry that asks for patience', () => {
  function refusing(times: number, status: number, headers: Record<string, string>, body = ''): Handler {
    let left = times;
    return (request, response) => {
      left -= 1;
      if (left >= 0) response.writeHead(status, headers).end(body);
      else good(request, response);
    };
  }

  it.each([
    ['seconds', { 'retry-after': '3' }, 3000],
    ['an HTTP date', { 'retry-after': 'Wed, 25 Nov 2026 09:00:04 GMT' }, 4000],
    ['a Go duration', { 'retry-after': '1.5s' }, 1500],
  ])('gets it: %s', async (_, headers, least) => {
    const clock = passingClock();
    const { host, seen } = await serve(refusing(1, 429, headers as Record<string, string>));
    expect(await client({ clock }).resolve({ host, path: 'a' }, '1')).toBe(digest);
    expect(seen).toHaveLength(2);
    expect(clock.waits[0]).toBeGreaterThanOrEqual(least);
    expect(clock.waits[0]).toBeLessThan(least + 500);
  });

  it('gets it from a body too, as GHCR writes it', async () => {
    const clock = passingClock();
    const body = '{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 941.928ms, allowed: 44000/minute"}]}';
    const { host, seen } = await serve((request, response) => {
      if (seen.length > 1) return good(request, response);
      response.writeHead(429, { 'content-type': 'application/json' }).end(request.method === 'HEAD' ? undefined : body);
    });
    await client({ clock })
      .tags({ host, path: 'a' })
      .catch(() => undefined);
    expect(clock.waits[0]).toBeGreaterThanOrEqual(941);
  });

  it('for long is left alone by everybody, at once and with the time', async () => {
    const { host, seen } = await serve(refusing(100, 429, { 'retry-after': '3600' }));
    const one = client({ clock: passingClock() });
    await expect(one.resolve({ host, path: 'a' }, '1')).rejects.toMatchObject({ kind: 'busy' });
    await expect(one.resolve({ host, path: 'b' }, '1')).rejects.toMatchObject({
      kind: 'busy',
      retryAfterSeconds: 3600,
    });
    expect(seen).toHaveLength(1);
    expect(one.health(host)).toMatchObject({ state: 'cooling-down', coolDownUntil: expect.any(Number) });
  });

  it.each([502, 503, 504])('%i is tried three times', async (status) => {
    const { host, seen } = await serve(refusing(2, status, {}));
    expect(await client({ clock: passingClock() }).resolve({ host, path: 'a' }, '1')).toBe(digest);
    expect(seen).toHaveLength(3);
    const other = await serve(refusing(9, status, {}));
    await expect(client({ clock: passingClock() }).resolve({ host: other.host, path: 'a' }, '1')).rejects.toMatchObject(
      { kind: 'sick' },
    );
    expect(other.seen).toHaveLength(3);
  });

  it('a cut connection is tried again', async () => {
    const { host, seen } = await serve((request, response) => {
      if (seen.length === 2) request.socket.destroy();
      else good(request, response);
    });
    const one = client({ clock: passingClock() });
    await one.resolve({ host, path: 'a' }, '1');
    expect(await one.resolve({ host, path: 'a' }, '2')).toBe(digest);
  });
});

describe('credentials', () => {
  const credentialsFor = () => ({ username: 'keeper', password: 'pa,ss"word' });
  const basic = `Basic ${Buffer.from('keeper:pa,ss"word').toString('base64')}`;

  it('go by Basic, without a refusal each time', async () => {
    const { host, seen } = await serve((request, response) => {
      if (request.headers.authorization !== basic)
        return response.writeHead(401, { 'www-authenticate': 'basic REALM="a, b"' }).end();
      return good(request, response);
    });
    const one = client({ credentialsFor });
    await one.resolve({ host, path: 'a' }, '1');
    await one.resolve({ host, path: 'b' }, '1');
    expect(seen.map(({ authorization }) => authorization)).toEqual([undefined, basic, basic]);
  });

  it('that are wrong are denied once, without a loop', async () => {
    const { host, seen } = await serve((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    );
    await expect(client({ credentialsFor }).resolve({ host, path: 'a' }, '1')).rejects.toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('refused the stored credentials'),
    });
    expect(seen).toHaveLength(2);
  });

  /** A registry with tokens whose service is another host, as Harbor, GitLab and Gitea have it. */
  async function tokenRegistry(options: { refuseBatch?: boolean; expiresIn?: number; field?: string } = {}) {
    const { refuseBatch = false, expiresIn = 300, field = 'token' } = options;
    const service = await serve((request, response) => {
      const scopes = new URL(request.url ?? '', 'http://x').searchParams.getAll('scope');
      if (refuseBatch && scopes.length > 1) return response.writeHead(400).end();
      return response.end(JSON.stringify({ [field]: `for:${scopes.join('+')}`, expires_in: expiresIn }));
    });
    const registry = await serve((request, response) => {
      const path = /^\/v2\/(.*)\/manifests/.exec(request.url ?? '')?.[1];
      if (
        request.headers.authorization?.startsWith('Bearer ') &&
        request.headers.authorization.includes(`repository:${path}:pull`)
      ) {
        return good(request, response);
      }
      const challenge = `BEARER Realm="http://127.0.0.1:${service.port}/token",service="a, b",scope="x", Basic realm="y"`;
      return response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    return { service, registry };
  }

  it('never go to a token service on another host unless it was named', async () => {
    const { service, registry } = await tokenRegistry();
    await client({ credentialsFor }).resolve({ host: registry.host, path: 'a' }, '1');
    expect(service.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    const trustFor = (host: string) =>
      host === registry.host ? { insecure: true, ca: undefined, tokenHosts: [service.host] } : undefined;
    await client({ credentialsFor, trustFor }).resolve({ host: registry.host, path: 'a' }, '1');
    expect(service.seen.at(-1)?.authorization).toBe(basic);
    expect(registry.seen.some(({ authorization }) => authorization?.startsWith('Basic'))).toBe(false);
  });

  it('buy one token for all repositories that wait, with values untouched', async () => {
    const { service, registry } = await tokenRegistry({ field: 'access_token' });
    const one = client();
    await Promise.all(['a', 'b', 'c'].map((path) => one.resolve({ host: registry.host, path }, '1')));
    expect(service.seen).toHaveLength(1);
    expect(new URL(service.seen[0]?.url ?? '', 'http://x').searchParams.get('service')).toBe('a, b');
    expect(registry.seen.filter(({ authorization }) => authorization === undefined)).toHaveLength(1);
  });

  it('buy one token each where the service refuses several', async () => {
    const { service, registry } = await tokenRegistry({ refuseBatch: true });
    const one = client();
    const all = await Promise.all(['a', 'b', 'c'].map((path) => one.resolve({ host: registry.host, path }, '1')));
    expect(all).toEqual([digest, digest, digest]);
    expect(service.seen).toHaveLength(4);
  });

  it('buy a new token 30 seconds before the old one ends', async () => {
    const clock = passingClock();
    const { service, registry } = await tokenRegistry({ expiresIn: 100 });
    const one = client({ clock });
    await one.resolve({ host: registry.host, path: 'a' }, '1');
    clock.advance(69_000);
    await one.resolve({ host: registry.host, path: 'a' }, '1');
    expect(service.seen).toHaveLength(1);
    clock.advance(1_001);
    await one.resolve({ host: registry.host, path: 'a' }, '1');
    expect(service.seen).toHaveLength(2);
  });

  it('stay here when the registry redirects to another host', async () => {
    const other = await serve((_, response) => response.end(manifest));
    const { host } = await serve((request, response) => {
      if (request.headers.authorization !== basic)
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return response.writeHead(307, { location: `http://${other.host}/blob` }).end();
    });
    await client({ credentialsFor }).manifest({ host, path: 'a' }, digest);
    expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });
});

describe('redirects', () => {
  it('are followed three times at most', async () => {
    const { host, seen } = await serve((request, response) => {
      const hop = Number(/hop=(\d+)/.exec(request.url ?? '')?.[1] ?? 0);
      response.writeHead(302, { location: `/v2/x?hop=${hop + 1}` }).end();
    });
    await expect(client().resolve({ host, path: 'a' }, '1')).rejects.toMatchObject({ kind: 'broken' });
    expect(seen).toHaveLength(4);
  });

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:169.254.169.254]/',
    'http://0.0.0.0/',
    'file:///etc/passwd',
    'gopher://x/',
  ])('to %s are refused', async (location) => {
    const { host } = await serve((_, response) => response.writeHead(307, { location }).end());
    await expect(client().manifest({ host, path: 'a' }, digest)).rejects.toMatchObject({ kind: 'broken' });
  });

  it('the metadata address is not a registry either', async () => {
    await expect(client().resolve({ host: '169.254.169.254', path: 'a' }, '1')).rejects.toMatchObject({
      kind: 'broken',
    });
  });
});

describe('the list of tags', () => {
  function pages(
    link: (n: number, url: string) => string | undefined,
    tags: (n: number) => unknown = (n) => [`t${n}`],
  ): Handler {
    let n = 0;
    return (request, response) => {
      n += 1;
      const next = link(n, request.url ?? '');
      if (next !== undefined) response.setHeader('link', next);
      response.end(JSON.stringify({ name: 'a', tags: tags(n) }));
    };
  }

  it('follows every page, with n not above what ECR allows', async () => {
    const { host, seen } = await serve(
      pages((n) => (n < 3 ? `</v2/a/tags/list?last=t${n}&n=1000>; rel="next"` : undefined)),
    );
    expect(await client().tags({ host, path: 'a' })).toEqual(['t1', 't2', 't3']);
    expect(seen.map(({ url }) => url)).toEqual([
      '/v2/a/tags/list?n=1000',
      '/v2/a/tags/list?last=t1&n=1000',
      '/v2/a/tags/list?last=t2&n=1000',
    ]);
  });

  it('keeps our own path where Artifactory leaves out its prefix', async () => {
    const { host, seen } = await serve(
      pages((n) => (n === 1 ? '</v2/img/tags/list?last=t1&n=1000>; rel="next"' : undefined)),
    );
    await client().tags({ host, path: 'virtual/img' });
    expect(seen[1]?.url).toBe('/v2/virtual/img/tags/list?last=t1&n=1000');
  });

  it('takes null for an empty list', async () => {
    const { host } = await serve(
      pages(
        () => undefined,
        () => null,
      ),
    );
    expect(await client().tags({ host, path: 'a' })).toEqual([]);
  });

  it('refuses a circle', async () => {
    const { host, seen } = await serve(pages(() => '</v2/a/tags/list?last=x>; rel="next"'));
    await expect(client().tags({ host, path: 'a' })).rejects.toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('circle'),
    });
    expect(seen).toHaveLength(2);
  });

  it('refuses a next page on another host', async () => {
    const other = await serve(good);
    const { host } = await serve(pages(() => `<http://${other.host}/v2/a/tags/list?last=x>; rel=next`));
    await expect(client().tags({ host, path: 'a' })).rejects.toMatchObject({ kind: 'broken' });
    expect(other.seen).toEqual([]);
  });

  it('is not sent again while its ETag holds', async () => {
    let full = 0;
    const { host } = await serve((request, response) => {
      if (request.headers['if-none-match'] === '"x"') return response.writeHead(304).end();
      full += 1;
      return response.setHeader('etag', '"x"').end('{"tags":["1"]}');
    });
    const one = client();
    expect(await one.tags({ host, path: 'a' })).toEqual(['1']);
    expect(await one.tags({ host, path: 'a' })).toEqual(['1']);
    expect(full).toBe(1);
  });
});
