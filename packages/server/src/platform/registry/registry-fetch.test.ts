import { afterEach, describe, expect, it } from 'vitest';
import { createRegistryFetch, reaches } from './registry-fetch.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe('where a host stands', () => {
  it('is judged by every address that its name has had', async () => {
    // One of a private network and one for documentation (RFC 5737).
    const answers = ['10.255.255.1', '203.0.113.7', '10.255.255.1'];
    const fetcher = createRegistryFetch({
      lookup: (_, __, callback) => callback(null, [{ address: answers.shift() ?? '', family: 4 }]),
    });
    closers.push(() => fetcher.close());
    const standing = async () => {
      const request = { method: 'GET', headers: {}, reach: 'private', ca: undefined, maxBytes: 10 } as const;
      const url = new URL('http://flip.example:9/');
      // Whether anything answers does not matter.
      await fetcher.fetch({ ...request, url, signal: AbortSignal.timeout(200) }).catch(() => undefined);
      return fetcher.standingOf('flip.example');
    };
    expect(fetcher.standingOf('flip.example')).toBeUndefined();
    expect(await standing()).toEqual({ outermost: 'private', innermost: 'private' });
    expect(await standing()).toEqual({ outermost: 'public', innermost: 'private' });
    // Once outside, it leads nobody inside any more, whatever its name says now.
    expect(await standing()).toEqual({ outermost: 'public', innermost: 'private' });
  });

  it('is within reach or not', () => {
    expect(['public', 'private', 'loopback', 'forbidden'].map((kind) => reaches('private', kind as 'public'))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(reaches('loopback', 'forbidden')).toBe(false);
  });
});
