import { describe, expect, test } from 'vitest';
import { compareVersions, negotiateVersion, newestKnown } from './api-version.ts';
import { parseEndpoint } from './endpoint.ts';
import { splitReference } from './images.ts';

describe('an endpoint', () => {
  test.each([
    ['unix:///var/run/docker.sock', false, 'http://docker', '/var/run/docker.sock'],
    ['tcp://10.0.0.1:2375', false, 'http://10.0.0.1:2375', undefined],
    ['tcp://10.0.0.1', false, 'http://10.0.0.1:2375', undefined],
    ['tcp://engine.lan', true, 'https://engine.lan:2376', undefined],
    ['https://engine.lan', false, 'https://engine.lan:443', undefined],
    ['tcp://[::1]:2375', false, 'http://[::1]:2375', undefined],
  ])('%s with TLS %s is read', (endpoint, secure, origin, socketPath) => {
    expect(parseEndpoint(endpoint, secure)).toEqual({ origin, socketPath });
  });

  test.each(['', 'docker.sock', 'unix://docker.sock', 'ftp://x', 'ssh://me@host', 'tcp://'])(
    '"%s" is refused',
    (endpoint) => {
      expect(() => parseEndpoint(endpoint, false)).toThrow(expect.objectContaining({ code: 'bad_input' }));
    },
  );
});

describe('the version to speak', () => {
  test.each([
    ['1.41', '1.41'],
    ['1.51', '1.51'],
    // From here on no inspect shows the MAC address that a container was asked to have.
    ['1.52', '1.51'],
    ['1.60', newestKnown],
    ['2.0', newestKnown],
    ['1.40', undefined],
    ['1.9', undefined],
    ['nonsense', undefined],
  ])('with an engine of %s is %s', (offered, spoken) => {
    expect(negotiateVersion(offered)).toBe(spoken);
  });

  test('is compared number by number', () => {
    expect(compareVersions('1.9', '1.41')).toBeLessThan(0);
    expect(compareVersions('1.41', '1.41')).toBe(0);
  });
});

test.each([
  ['app', 'app', 'latest'],
  ['localhost:5000/app', 'localhost:5000/app', 'latest'],
  ['localhost:5000/app:1', 'localhost:5000/app', '1'],
  ['app@sha256:ab', 'app', 'sha256:ab'],
  ['r.lan/app:1@sha256:ab', 'r.lan/app', 'sha256:ab'],
])('the reference %s is pulled as %s and %s', (reference, name, version) => {
  expect(splitReference(reference)).toEqual({ name, version });
});
