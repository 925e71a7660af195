import { describe, expect, it } from 'vitest';
import { classifyAddress, guardedLookup, isLoopbackName } from './address-guard.ts';

describe('addresses', () => {
  it.each([
    ['169.254.169.254', 'forbidden'],
    ['::ffff:169.254.169.254', 'forbidden'],
    ['::ffff:a9fe:a9fe', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['100.100.100.200', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['::', 'forbidden'],
    ['not an address', 'forbidden'],
    ['127.8.8.8', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['10.1.2.3', 'private'],
    ['fd12::1', 'private'],
    ['8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
  ])('%s is %s', (address, kind) => {
    expect(classifyAddress(address)).toBe(kind);
  });

  it('are looked at after the name was resolved, and only checked ones are handed out', async () => {
    const look = (mayConnect: boolean) =>
      new Promise<string>((resolve) => {
        guardedLookup(
          () => mayConnect,
          () => {},
        )('localhost', { all: true }, (error, addresses) => resolve(error ? error.name : JSON.stringify(addresses)));
      });
    expect(await look(false)).toBe('AddressRefused');
    expect(await look(true)).toContain('address');
  });

  it('knows the names of the loopback', () => {
    expect(['localhost', '127.0.0.1', '[::1]', 'a.localhost', 'example.com'].map(isLoopbackName)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});
