import { afterEach, describe, expect, it } from 'vitest';
import { createRegistryBench, good, type Handler } from './for-tests/registry-bench.ts';

const bench = createRegistryBench();
const { serve, client } = bench;
afterEach(() => bench.close());

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

  it('that ends with a missing page is broken, not shorter', async () => {
    const { host } = await serve((request, response) => {
      if (request.url?.includes('last=')) return response.writeHead(404).end();
      return response.setHeader('link', '</v2/a/tags/list?last=t1>; rel="next"').end('{"tags":["t1"]}');
    });
    await expect(client().tags({ host, path: 'a' })).rejects.toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('page 2'),
    });
  });

  it('that is not there at all is told from an empty one', async () => {
    const { host } = await serve((_, response) => response.writeHead(404).end());
    expect(await client().tags({ host, path: 'a' })).toBeUndefined();
  });

  it.each(['{"errors":[{"code":"UNAVAILABLE"}]}', '{}', '[]', 'null', '<html>'])(
    'is not taken for empty where the answer is %s',
    async (body) => {
      const { host } = await serve((_, response) => response.end(body));
      await expect(client().tags({ host, path: 'a' })).rejects.toMatchObject({
        kind: 'broken',
        message: expect.stringContaining('no list of tags'),
      });
    },
  );

  it('leaves out what no tag can be', async () => {
    const odd = ['1.0', '-x', 'a'.repeat(129), 'a b', '', '../x', '<b>', 'b'.repeat(128), 'v1_2.3-rc'];
    const { host } = await serve(
      pages(
        () => undefined,
        () => odd,
      ),
    );
    expect(await client().tags({ host, path: 'a' })).toEqual(['1.0', 'b'.repeat(128), 'v1_2.3-rc']);
  });

  it('without an end is refused before it fills the memory', async () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `t${index}`);
    const { host, seen } = await serve(
      pages(
        (n) => `</v2/a/tags/list?last=${n}>; rel="next"`,
        () => many,
      ),
    );
    await expect(client().tags({ host, path: 'a' })).rejects.toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('more than'),
    });
    expect(seen.length).toBeLessThan(20);
  });
});
