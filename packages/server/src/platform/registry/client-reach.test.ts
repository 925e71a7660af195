import type { LookupAddress } from 'node:dns';
import { type AddressInfo, createServer, type LookupFunction } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createRegistryBench,
  digest,
  good,
  manifest,
  named,
  passingClock,
  type Served,
} from './for-tests/registry-bench.ts';
import { createRegistryFetch, type FetchRequest } from './registry-fetch.ts';

const bench = createRegistryBench();
const { serve, client } = bench;
afterEach(() => bench.close());

/** A resolver that gives these answers one after the other, the last one for ever; addresses by name. */
function names(answers: Record<string, string[][]>): LookupFunction {
  return (hostname, _, callback) => {
    const left = answers[hostname] ?? [];
    const addresses = (left.length > 1 ? left.shift() : left[0]) ?? [];
    const found: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (found.length === 0) callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    else callback(null, found);
  };
}
const nobody = () => undefined;
/** For documentation (RFC 5737). */
const publicAddress = '203.0.113.7';

describe('a host that nobody has named', () => {
  const canary = () => serve(good);

  it.each([
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '2130706433',
    'localhost',
    'localhost.',
    'a.localhost',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
  ])('is not connected to on the loopback: %s', async (name) => {
    const { port, connections } = await canary();
    const failure = client({ trustFor: nobody }).resolve({ host: `${name}:${port}`, path: 'a' }, '1');
    await expect(failure).rejects.toMatchObject({ kind: expect.stringMatching(/broken|sick/) });
    expect(connections()).toBe(0);
  });

  it('says how to have it asked', async () => {
    const { port } = await canary();
    await expect(client({ trustFor: nobody }).resolve({ host: `localhost:${port}`, path: 'a' }, '1')).rejects.toThrow(
      /loopback.*Store the registry/,
    );
  });

  it('is not connected to when its name turns to the loopback', async () => {
    const trap = await canary();
    const host = `flip.example:${trap.port}`;
    const flipping = () => createRegistryFetch({ lookup: names({ 'flip.example': [[publicAddress], ['127.0.0.1']] }) });
    const one = client({ trustFor: nobody, fetcher: flipping(), timeoutMilliseconds: 300, clock: passingClock() });
    // Whether anything answers at the first address does not matter.
    await one.resolve({ host, path: 'a' }, '1').catch(() => undefined);
    await expect(one.resolve({ host, path: 'a' }, 'x')).rejects.toThrow('loopback');
    expect(trap.connections()).toBe(0);
    // The same name and the same trap, named by an administrator: it is the rule that kept us away.
    const lookup = names({ 'flip.example': [['127.0.0.1']] });
    const trustFor = () => ({ ...named, insecure: true });
    const open = client({ trustFor, fetcher: createRegistryFetch({ lookup }) });
    expect(await open.resolve({ host, path: 'a' }, '1')).toBe(digest);
    expect(trap.connections()).toBeGreaterThan(0);
  });

  it('is not connected to when one of its addresses is of the loopback', async () => {
    const trap = await canary();
    const lookup = names({ 'two.example': [[publicAddress, '127.0.0.1']] });
    const one = client({ trustFor: nobody, fetcher: createRegistryFetch({ lookup }) });
    await expect(one.resolve({ host: `two.example:${trap.port}`, path: 'a' }, '1')).rejects.toThrow('loopback');
    expect(trap.connections()).toBe(0);
  });

  it('is connected to on a private network, where images of a managed engine come from', async () => {
    // Nothing listens there: that it was tried is seen from the sentence, which is not the one of a refusal by us.
    const lookup = names({ 'reg.lan': [['10.255.255.1']] });
    const one = client({ trustFor: nobody, fetcher: createRegistryFetch({ lookup }), timeoutMilliseconds: 200 });
    await expect(one.resolve({ host: 'reg.lan:5000', path: 'a' }, '1')).rejects.toMatchObject({ kind: 'sick' });
  });
});

describe('what is said of a host on a private network', () => {
  /** Our servers are on the loopback; this takes it for a private network. */
  function asPrivate() {
    const inner = createRegistryFetch({ lookup: names({ 'reg.lan': [['127.0.0.1']] }) });
    return {
      ...inner,
      fetch: (request: FetchRequest) => inner.fetch({ ...request, reach: 'loopback' }),
      standingOf: () => ({ outermost: 'private', innermost: 'private' }) as const,
    };
  }
  const reasonOf = async (port: number, trust: typeof named | undefined) => {
    const options = { fetcher: asPrivate(), trustFor: () => trust, clock: passingClock(), timeoutMilliseconds: 400 };
    const error: unknown = await client(options)
      .resolve({ host: `reg.lan:${port}`, path: 'a' }, '1')
      .catch((failure: unknown) => failure);
    return String(error).replaceAll(String(port), 'PORT');
  };

  it('does not tell an open port from a closed one, unless an administrator has named the host', async () => {
    const closed = await serve(good);
    await closed.stop();
    const cutting = await serve(good);
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const ports = [closed.port, cutting.port, (silent.address() as AddressInfo).port];
    try {
      const unnamed = new Set(await Promise.all(ports.map((port) => reasonOf(port, undefined))));
      expect([...unnamed]).toEqual([expect.stringContaining('Store the registry')]);
      const told = new Set(await Promise.all(ports.map((port) => reasonOf(port, named))));
      expect(told.size).toBe(3);
    } finally {
      await bench.close();
      silent.close();
    }
  });
});

describe('the word of a registry', () => {
  const redirecting = (to: () => string) => (_: unknown, response: import('node:http').ServerResponse) =>
    response.writeHead(307, { location: to() }).end();

  async function onPublic(served: Served) {
    const here = [['127.0.0.1']];
    const inner = createRegistryFetch({
      lookup: names({ 'reg.example': here, 'trap.example': here, 'localhost.': here }),
    });
    // The registry stands here on the loopback, where our servers can be; what it leads to is judged as if it stood outside.
    const fetcher = { ...inner, standingOf: () => ({ outermost: 'public', innermost: 'public' }) as const };
    const host = `reg.example:${served.port}`;
    const trustFor = (asked: string) => (asked === host ? { ...named, insecure: true } : undefined);
    return { host, one: client({ fetcher, trustFor, clock: passingClock() }) };
  }

  it.each(['127.0.0.1', 'trap.example', 'localhost.', '[::1]'])(
    'does not lead from outside to the loopback by a redirect: %s',
    async (name) => {
      const trap = await serve((_, response) => response.end(manifest));
      const served = await serve(redirecting(() => `http://${name}:${trap.port}/x`));
      const { host, one } = await onPublic(served);
      await expect(one.manifest({ host, path: 'a' }, digest)).rejects.toMatchObject({ kind: 'broken' });
      expect(served.seen.length).toBeGreaterThan(0);
      expect(trap.connections()).toBe(0);
    },
  );

  it('does not lead from outside to the loopback by its token service', async () => {
    const trap = await serve((_, response) => response.end('{"token":"t"}'));
    const served = await serve((_, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://127.0.0.1:${trap.port}/token"` }).end(),
    );
    const { host, one } = await onPublic(served);
    await expect(one.resolve({ host, path: 'a' }, '1')).rejects.toMatchObject({ kind: 'broken' });
    expect(served.seen.length).toBeGreaterThan(0);
    expect(trap.connections()).toBe(0);
  });
});
