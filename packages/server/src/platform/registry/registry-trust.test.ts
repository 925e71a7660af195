import { describe, expect, it } from 'vitest';
import { canonicalRegistry, isTokenHost, sameHost } from './registry-trust.ts';

describe('the name of a registry', () => {
  it.each([
    ['Docker.IO', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['lscr.io', 'ghcr.io'],
    ['Registry.LAN:5000', 'registry.lan:5000'],
    ['localhost:5000', 'localhost:5000'],
    ['index.docker.io.evil.example', 'index.docker.io.evil.example'],
  ])('%s is remembered as %s', (host, name) => {
    expect(canonicalRegistry(host)).toBe(name);
  });

  it('is compared with its port, where the usual one may be left out', () => {
    expect(sameHost('auth.example', new URL('https://AUTH.example/token'))).toBe(true);
    expect(sameHost('auth.example:443', new URL('https://auth.example/token'))).toBe(true);
    expect(sameHost('auth.example', new URL('https://auth.example:8443/token'))).toBe(false);
    expect(sameHost('auth.example:8443', new URL('https://auth.example/token'))).toBe(false);
    expect(sameHost('', new URL('https://auth.example/token'))).toBe(false);
  });

  it('decides which token service may see the credentials', () => {
    const trust = { insecure: false, ca: undefined, tokenHosts: ['sso.example'] };
    const may = (host: string, realm: string) => isTokenHost(host, new URL(realm), trust);
    expect(may('docker.io', 'https://auth.docker.io/token')).toBe(true);
    expect(may('docker.io', 'https://auth.docker.io.evil.example/token')).toBe(false);
    expect(may('reg.example:5000', 'https://reg.example:5000/token')).toBe(true);
    expect(may('reg.example:5000', 'https://reg.example/token')).toBe(false);
    expect(may('reg.example', 'https://sso.example/token')).toBe(true);
    expect(may('reg.example', 'https://auth.docker.io/token')).toBe(false);
  });
});
