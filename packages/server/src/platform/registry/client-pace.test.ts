import { afterEach, describe, expect, it } from 'vitest';
import { createRegistryBench, digest, good, type Handler, passingClock } from './for-tests/registry-bench.ts';

const bench = createRegistryBench();
const { serve, client } = bench;
afterEach(() => bench.close());

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
      if (seen.length > 1) return response.end('{"tags":["1"]}');
      response.writeHead(429, { 'content-type': 'application/json' }).end(request.method === 'HEAD' ? undefined : body);
    });
    await client({ clock }).tags({ host, path: 'a' });
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

  it('without saying how long gets more each time, until it answers again', async () => {
    const clock = passingClock();
    let well = false;
    const { host, seen } = await serve((request, response) => {
      if (well) good(request, response);
      else response.writeHead(429).end();
    });
    const one = client({ clock });
    const pauses: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      await expect(one.resolve({ host, path: `a${time}` }, '1')).rejects.toMatchObject({ kind: 'busy' });
      const until = one.health(host).coolDownUntil ?? 0;
      pauses.push(Math.round((until - clock.now()) / 1000));
      clock.advance(until - clock.now() + 1);
    }
    // The first pause, of 5 seconds, is waited for inside the first question.
    expect(pauses).toEqual([30, 120, 300, 900, 900, 900]);
    expect(seen).toHaveLength(7);
    well = true;
    expect(await one.resolve({ host, path: 'a' }, '1')).toBe(digest);
    well = false;
    await expect(one.resolve({ host, path: 'a' }, '2')).rejects.toMatchObject({ kind: 'busy' });
    expect(Math.round(((one.health(host).coolDownUntil ?? 0) - clock.now()) / 1000)).toBe(30);
  });

  it('is not stormed by many references', async () => {
    const clock = passingClock();
    const { host, seen } = await serve((_, response) => response.writeHead(429).end());
    const one = client({ clock });
    const all = Array.from({ length: 100 }, (_, index) => one.resolve({ host, path: `a${index}` }, '1'));
    const results = await Promise.allSettled(all);
    expect(results.every((result) => result.status === 'rejected' && result.reason.kind === 'busy')).toBe(true);
    expect(seen.length).toBeLessThanOrEqual(16);
  });

  it.each([503, 500])('with %i and Retry-After is left alone by later references too', async (status) => {
    const clock = passingClock();
    const { host, seen } = await serve(refusing(100, status, { 'retry-after': '600' }));
    const one = client({ clock });
    await expect(one.resolve({ host, path: 'a' }, '1')).rejects.toMatchObject({ kind: 'sick' });
    expect(one.health(host)).toMatchObject({ state: 'cooling-down', coolDownUntil: clock.now() + 600_000 });
    await expect(one.resolve({ host, path: 'b' }, '1')).rejects.toMatchObject({ kind: 'busy', retryAfterSeconds: 600 });
    expect(seen).toHaveLength(1);
  });

  it('with 503 and a short Retry-After is asked again by the same question', async () => {
    const clock = passingClock();
    const { host, seen } = await serve(refusing(1, 503, { 'retry-after': '4' }));
    expect(await client({ clock }).resolve({ host, path: 'a' }, '1')).toBe(digest);
    expect(seen).toHaveLength(2);
    expect(Math.max(...clock.waits)).toBeGreaterThanOrEqual(4000);
  });
});
