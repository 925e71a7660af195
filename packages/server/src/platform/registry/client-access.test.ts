import { afterEach, describe, expect, it } from 'vitest';
import { createRegistryBench, digest, good, type Handler, manifest, passingClock } from './for-tests/registry-bench.ts';
import { createRegistryFetch } from './registry-fetch.ts';

const bench = createRegistryBench();
const { serve, client } = bench;
afterEach(() => bench.close());

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

  it('are bought again at once when the registry takes a token back before its time', async () => {
    let valid = 0;
    const { host, seen } = await serve((request, response) => {
      if (request.url?.startsWith('/token')) {
        valid += 1;
        return response.end(JSON.stringify({ token: `t${valid}`, expires_in: 3600 }));
      }
      if (request.headers.authorization === `Bearer t${valid}`) return good(request, response);
      const realm = `Bearer realm="http://${request.headers.host}/token"`;
      return response.writeHead(401, { 'www-authenticate': realm }).end();
    });
    const one = client();
    await one.resolve({ host, path: 'a' }, '1');
    valid += 1;
    seen.splice(0);
    expect(await one.resolve({ host, path: 'a' }, '1')).toBe(digest);
    expect(seen.map(({ url, authorization }) => `${url.slice(0, 6)} ${authorization ?? ''}`)).toEqual([
      '/v2/a/ Bearer t1',
      '/token ',
      '/v2/a/ Bearer t3',
    ]);
  });

  it('that do not reach a repository are denied without a loop, with a token known or not', async () => {
    const { host, seen } = await serve((request, response) => {
      if (request.url?.startsWith('/token')) return response.end('{"token":"t"}');
      if (request.url === '/v2/open/manifests/1' && request.headers.authorization) return good(request, response);
      const realm = `Bearer realm="http://${request.headers.host}/token"`;
      return response.writeHead(401, { 'www-authenticate': realm }).end();
    });
    const one = client();
    await one.resolve({ host, path: 'open' }, '1');
    for (let time = 0; time < 2; time += 1) {
      seen.splice(0);
      await expect(one.resolve({ host, path: 'closed' }, '1')).rejects.toMatchObject({ kind: 'denied' });
      expect(seen.length).toBeLessThanOrEqual(5);
    }
  });

  it('that are looked up when they are needed count like others', async () => {
    const { host, seen } = await serve((request, response) => {
      if (request.headers.authorization === basic) return good(request, response);
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    });
    const later = async () => credentialsFor();
    expect(await client({ credentialsFor: later }).resolve({ host, path: 'a' }, '1')).toBe(digest);
    expect(seen).toHaveLength(2);
  });

  it('that cannot be had are refused with the reason', async () => {
    const { host } = await serve((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    );
    const whyNoCredentials = () => 'The helper is not installed.';
    await expect(client({ whyNoCredentials }).resolve({ host, path: 'a' }, '1')).rejects.toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('The helper is not installed.'),
    });
  });

  it('stay here when the registry redirects to another host', async () => {
    const other = await serve((_, response) => response.end(manifest));
    const { host } = await serve((request, response) => {
      if (request.headers.authorization !== basic)
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return response.writeHead(307, { location: `http://${other.host}/blob` }).end();
    });
    expect(await client({ credentialsFor }).manifest({ host, path: 'a' }, digest)).toMatchObject({ kind: 'image' });
    expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });
});

describe('plain HTTP', () => {
  const credentialsFor = () => ({ username: 'keeper', password: 'secret' });
  /** A name that is not of the loopback and leads there, as a name of the local network leads to a machine. */
  async function onLan(handler: Handler) {
    const served = await serve(handler);
    const fetcher = createRegistryFetch({
      lookup: (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    return { ...served, host: `reg.lan:${served.port}`, fetcher };
  }
  const asking: Handler = (request, response) => {
    if (request.headers.authorization !== undefined) return good(request, response);
    return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
  };

  it('ends for credentials and everything else with its permission', async () => {
    const { host, seen, fetcher } = await onLan(asking);
    let insecure = true;
    const one = client({ fetcher, credentialsFor, trustFor: () => ({ insecure, ca: undefined, tokenHosts: [] }) });
    expect(await one.resolve({ host, path: 'a' }, '1')).toBe(digest);
    expect(seen.at(-1)?.authorization).toMatch(/^Basic /);
    seen.splice(0);
    insecure = false;
    await expect(one.resolve({ host, path: 'a' }, '2')).rejects.toMatchObject({ kind: 'sick' });
    expect(seen).toEqual([]);
  });

  it('is not what a host speaks that says 400 to it', async () => {
    // A TLS port answers 400 to plain HTTP; here its TLS side is out of order for the moment.
    const { host, seen, fetcher } = await onLan((_, response) =>
      response.writeHead(400).end('HTTP request to an HTTPS server'),
    );
    const one = client({
      fetcher,
      clock: passingClock(),
      trustFor: () => ({ insecure: true, ca: undefined, tokenHosts: [] }),
    });
    for (const tag of ['1', '2']) {
      await expect(one.resolve({ host, path: 'a' }, tag)).rejects.toMatchObject({ kind: 'sick' });
    }
    expect(seen.length).toBeGreaterThan(0);
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
