import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveTag, formatReference, parseReference, repositoryOf, respell } from './reference.ts';

function parsed(text: string) {
  const result = parseReference(text);
  if (!result.ok) throw new Error(`${text}: ${result.problem}`);
  return result.reference;
}

describe('an image reference', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['grafana/grafana:11', 'docker.io/grafana/grafana:11'],
    ['index.docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['registry-1.docker.io/library/nginx:1', 'docker.io/library/nginx:1'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['ghcr.io/owner/app:v1', 'ghcr.io/owner/app:v1'],
    ['lscr.io/linuxserver/sonarr:4', 'ghcr.io/linuxserver/sonarr:4'],
    ['GHCR.io/owner/app:v1', 'ghcr.io/owner/app:v1'],
    ['host:5000/img', 'host:5000/img:latest'],
    ['host:5000/img:2', 'host:5000/img:2'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/a/b/c:x', 'localhost:5000/a/b/c:x'],
    ['[::1]:5000/app:1', '[::1]:5000/app:1'],
    ['host/app:1', 'docker.io/host/app:1'],
    [`nginx@sha256:${'a'.repeat(64)}`, `docker.io/library/nginx@sha256:${'a'.repeat(64)}`],
    [`nginx:1@sha256:${'a'.repeat(64)}`, `docker.io/library/nginx:1@sha256:${'a'.repeat(64)}`],
  ])('%s is %s', (text, normal) => {
    expect(formatReference(parsed(text))).toBe(normal);
  });

  it.each([
    ['', 'empty'],
    ['Nginx', 'repository name'],
    ['nginx:', 'tag'],
    ['nginx:-x', 'tag'],
    [`nginx:${'a'.repeat(129)}`, 'tag'],
    ['a//b', 'repository name'],
    ['nginx@sha256:abc', 'digest'],
    ['nginx@', 'digest'],
    [`nginx@sha256:${'a'.repeat(63)}`, 'digest'],
    ['-host.x/app', 'registry host'],
    ['http://host/app', 'registry host'],
    ['x'.repeat(2000), '1024'],
    ['a\u0000b', 'repository name'],
  ])('%j is refused and says why', (text, part) => {
    expect(parseReference(text)).toMatchObject({ ok: false, problem: expect.stringContaining(part), bareId: false });
  });

  it.each([`sha256:${'0'.repeat(64)}`, 'f'.repeat(64), 'sha256:0123456789ab'])('%s is an id, not a name', (text) => {
    expect(parseReference(text)).toMatchObject({ ok: false, bareId: true });
  });

  it('never throws, whatever is written', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof parseReference(text).ok === 'boolean'));
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9:/@._[\]-]*$/), (text) => typeof parseReference(text).ok === 'boolean'),
    );
  });

  it('means the same after it was normalised', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const host = fc.constantFrom('', 'ghcr.io/', 'localhost/', 'reg.example:5000/', 'docker.io/');
    const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: undefined });
    fc.assert(
      fc.property(host, fc.array(part, { minLength: 1, maxLength: 3 }), tag, (domain, parts, label) => {
        const text = `${domain}${parts.join('/')}${label === undefined ? '' : `:${label}`}`;
        const first = parsed(text);
        const again = parsed(formatReference(first));
        expect(repositoryOf(again)).toBe(repositoryOf(first));
        expect(effectiveTag(again)).toBe(label ?? 'latest');
      }),
    );
  });

  it('keeps the spelling of the user with a new tag', () => {
    expect(respell(parsed('nginx:1.26'), '1.27')).toBe('nginx:1.27');
    expect(respell(parsed('nginx'), 'latest')).toBe('nginx');
    expect(respell(parsed('index.docker.io/nginx:1'), '1')).toBe('index.docker.io/nginx:1');
    expect(respell(parsed('host:5000/img'), '2')).toBe('host:5000/img:2');
  });
});
