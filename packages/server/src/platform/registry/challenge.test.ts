import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from './challenge.ts';

describe('WWW-Authenticate', () => {
  it('keeps commas inside quotes and values as they are', () => {
    expect(
      parseChallenges('Bearer realm="https://A.example/Token",service="Reg, One",scope="repository:x:pull,push"'),
    ).toEqual([
      {
        scheme: 'bearer',
        parameters: { realm: 'https://A.example/Token', service: 'Reg, One', scope: 'repository:x:pull,push' },
      },
    ]);
  });
  it('finds several challenges in one header and in several', () => {
    const expected = [
      { scheme: 'bearer', parameters: { realm: 'r', service: 's' } },
      { scheme: 'basic', parameters: { realm: 'x' } },
    ];
    expect(parseChallenges('BEARER Realm="r", SERVICE=s, Basic realm="x"')).toEqual(expected);
    expect(parseChallenges(['Bearer realm = "r" , service="s"', 'basic realm=x'])).toEqual(expected);
  });
  it('understands escaped quotes and tokens after the scheme', () => {
    expect(parseChallenges('Negotiate abc==, Basic realm="a \\"b\\""')).toEqual([
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'a "b"' } },
    ]);
  });
  it('ends on whatever is sent', () => {
    expect(parseChallenges(undefined)).toEqual([]);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => Array.isArray(parseChallenges(text))));
    fc.assert(
      fc.property(fc.array(fc.constantFrom('Bearer', ' ', ',', '=', '"', '\\', 'a', '==')), (parts) =>
        Array.isArray(parseChallenges(parts.join(''))),
      ),
    );
  });
});
