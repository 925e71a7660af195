import { afterEach, describe, expect, it } from 'vitest';
import {
  createRegistryBench,
  digest,
  digestOf,
  good,
  type Handler,
  manifest,
  passingClock,
} from './for-tests/registry-bench.ts';

const bench = createRegistryBench();
const { serve, client } = bench;
afterEach(() => bench.close());

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

  it('of one host do not wait for another host that hangs with the same digest', async () => {
    const hanging = await serve(() => {});
    const well = await serve((_, response) => response.end(manifest));
    const one = client();
    const stuck = one.manifest({ host: hanging.host, path: 'a' }, digest).catch(() => 'failed');
    await expect.poll(() => hanging.seen.length).toBe(1);
    expect(await one.manifest({ host: well.host, path: 'a' }, digest)).toMatchObject({ kind: 'image' });
    await one.close();
    expect(await stuck).toBe('failed');
  });

  it('that one repository does not have are fetched from another', async () => {
    const { host } = await serve((request, response) => {
      if (request.url?.startsWith('/v2/empty/')) return response.writeHead(404).end();
      return response.end(manifest);
    });
    const one = client();
    const both = await Promise.all(['empty', 'full'].map((path) => one.manifest({ host, path }, digest)));
    expect(both).toMatchObject([undefined, { kind: 'image' }]);
  });

  describe('count as pulls', () => {
    /** Says what is left of the limit as the test wants it. */
    async function limited(first: Record<string, string>) {
      let headers = first;
      const { host, seen } = await serve((request, response) => {
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        if (request.method === 'HEAD') good(request, response);
        else response.end(manifest);
      });
      return { host, seen, say: (next: Record<string, string>) => (headers = next) };
    }
    const left = (remaining: string, limit = '100;w=21600') => ({
      'ratelimit-limit': limit,
      'ratelimit-remaining': remaining,
    });

    it('and are not asked for when the limit is used up, while HEAD goes on', async () => {
      const { host, seen } = await limited({ 'ratelimit-remaining': '0;w=21600' });
      const one = client();
      await one.resolve({ host, path: 'a' }, '1');
      await expect(one.manifest({ host, path: 'a' }, digest)).rejects.toMatchObject({ kind: 'busy' });
      await one.resolve({ host, path: 'a' }, '2');
      expect(seen.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
      expect(one.health(host)).toMatchObject({ rateLimitRemaining: 0, requests: 2 });
    });

    it('and leave a fifth of the limit to the pulls of updates', async () => {
      const { host, say } = await limited(left('21;w=21600'));
      const one = client();
      await one.resolve({ host, path: 'a' }, '1');
      expect(await one.manifest({ host, path: 'a' }, digest)).toMatchObject({ kind: 'image' });
      say(left('20;w=21600'));
      await one.resolve({ host, path: 'a' }, '2');
      const other = `sha256:${'0'.repeat(64)}`;
      await expect(one.manifest({ host, path: 'a' }, other)).rejects.toMatchObject({
        kind: 'busy',
        message: expect.stringContaining('20 pulls'),
      });
    });

    it('and are asked for again when the window has passed, though nobody said that the limit recovered', async () => {
      const clock = passingClock();
      const { host, say } = await limited(left('0;w=600'));
      const one = client({ clock });
      await one.resolve({ host, path: 'a' }, '1');
      say({});
      await expect(one.manifest({ host, path: 'a' }, digest)).rejects.toMatchObject({ kind: 'busy' });
      clock.advance(600_001);
      expect(one.health(host).rateLimitRemaining).toBeNull();
      expect(await one.manifest({ host, path: 'a' }, digest)).toMatchObject({ kind: 'image' });
    });

    it('and are asked for again after an hour where no window was named', async () => {
      const clock = passingClock();
      const { host, say } = await limited({ 'ratelimit-remaining': '0' });
      const one = client({ clock });
      await one.resolve({ host, path: 'a' }, '1');
      say({});
      clock.advance(3_600_001);
      expect(await one.manifest({ host, path: 'a' }, digest)).toMatchObject({ kind: 'image' });
    });
  });

  it('are described as what they are where they make no sense', async () => {
    const text = '{"neither":"nor"}';
    const { host } = await serve((_, response) => response.end(text));
    await expect(client().manifest({ host, path: 'a' }, digestOf(text))).rejects.toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('no image'),
    });
  });
});

describe('the test of credentials', () => {
  const credentialsFor = () => ({ username: 'keeper', password: 'secret' });
  const refusing =
    (challenge: (port: number) => string, port = 0): Handler =>
    (request, response) => {
      if (request.headers.authorization !== undefined) response.end('{}');
      else response.writeHead(401, { 'www-authenticate': challenge(port) }).end();
    };

  it('says that they hold where they were asked for and taken', async () => {
    const { host } = await serve(refusing(() => 'Basic realm="x"'));
    expect(await client({ credentialsFor }).test(host)).toEqual({
      ok: true,
      detail: `${host} accepts the credentials.`,
    });
  });

  it('does not say so where only an anonymous token was used', async () => {
    const service = await serve((_, response) => response.end('{"token":"anonymous"}'));
    const { host } = await serve(refusing((port) => `Bearer realm="http://127.0.0.1:${port}/token"`, service.port));
    expect(await client({ credentialsFor }).test(host)).toMatchObject({
      ok: false,
      detail: expect.stringContaining(service.host),
    });
    expect(service.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('does not say so where nobody asked for them', async () => {
    const { host } = await serve((_, response) => response.end('{}'));
    expect(await client({ credentialsFor }).test(host)).toMatchObject({
      ok: true,
      detail: expect.stringContaining('did not ask'),
    });
  });

  it('says so for a token that they bought', async () => {
    const { host, seen } = await serve((request, response) => {
      if (request.url?.startsWith('/token')) return response.end('{"token":"t"}');
      if (request.headers.authorization === 'Bearer t') return response.end('{}');
      const realm = `Bearer realm="http://${request.headers.host}/token"`;
      return response.writeHead(401, { 'www-authenticate': realm }).end();
    });
    expect(await client({ credentialsFor }).test(host)).toMatchObject({
      ok: true,
      detail: expect.stringContaining('accepts'),
    });
    expect(seen[1]?.authorization).toMatch(/^Basic /);
  });
});
