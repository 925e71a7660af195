import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareTags, isNoVersion, levelOf, newerTags, parseTag, sameFamily } from './tag-family.ts';

function newest(running: string, tags: string[], options: Parameters<typeof newerTags>[2] = {}): string[] {
  return newerTags(running, tags, options).map(({ tag }) => tag);
}
function version(tag: string) {
  const found = parseTag(tag);
  if (!found) throw new Error(`${tag} is no version`);
  return found;
}

describe('the wrong orderings of other tools', () => {
  it('windowsltsc2022-amd64-2.9.3 is not 2022.0.0 (WUD#625)', () => {
    expect(newest('2.9.2', ['windowsltsc2022-amd64-2.9.3'])).toEqual([]);
    expect(version('windowsltsc2022-amd64-2.9.3').numbers).toEqual([2n, 9n, 3n]);
  });
  it('the commit 8a3f1c2 is not 8.0.0', () => {
    expect(parseTag('8a3f1c2')).toBeUndefined();
    expect(newest('7', ['8a3f1c2'])).toEqual([]);
    expect(newest('7.0.0', ['8a3f1c2', 'sha-8a3f1c2', 'sha-1234567'])).toEqual([]);
  });
  it('20240101 does not beat 3.19, nor 3', () => {
    expect(newest('3.19', ['20240101', '3.20'])).toEqual(['3.20']);
    expect(newest('3', ['20240101', '4'])).toEqual(['4']);
  });
  it('3.0.1.4260 is above 3.0.1.4259', () => {
    expect(newest('3.0.1.4259', ['3.0.1.4260', '3.0.1.4259'])).toEqual(['3.0.1.4260']);
    expect(levelOf(version('3.0.1.4259'), version('3.0.1.4260'))).toBe('revision');
  });
  it('a release candidate 2025.12.0-rc2 is not offered to 2025.10.4 (WUD#883)', () => {
    expect(newest('2025.10.4', ['2025.12.0-rc2', '2025.11.0'])).toEqual(['2025.11.0']);
    expect(newest('2025.10.4', ['2025.12.0-rc2'], { prereleases: true })).toEqual(['2025.12.0-rc2']);
    expect(newest('2025.12.0-rc1', ['2025.12.0-rc2', '2025.12.0'])).toEqual(['2025.12.0', '2025.12.0-rc2']);
  });
  it('1.21.11-0 is above 1.21.11, not below', () => {
    expect(compareTags(version('1.21.11-0'), version('1.21.11'))).toBeGreaterThan(0);
    expect(newest('1.21.11-0', ['1.21.11'])).toEqual([]);
  });
  it('four parts are not a prerelease of three (DD)', () => {
    expect(newest('4.0.9.1', ['4.0.9.2', '4.0.9'])).toEqual(['4.0.9.2']);
    expect(version('4.0.9.1').prerelease).toBeUndefined();
  });
  it('the fourth part moves (Cup)', () => {
    expect(newest('1.40.0.7998', ['1.40.0.8000', '1.41.0.1'])).toEqual(['1.41.0.1', '1.40.0.8000']);
  });
  it('1.0.0-alpine is not updated to 2.0.0', () => {
    expect(newest('1.0.0-alpine', ['2.0.0', '1.1.0-alpine'])).toEqual(['1.1.0-alpine']);
  });
  it('a calendar number is not above a semantic one', () => {
    expect(newest('2.1.0', ['2021.12.1', '2.2.0'])).toEqual(['2.2.0']);
    expect(newest('2021.12.1', ['3.0.0', '2022.1.0'])).toEqual(['2022.1.0']);
  });
});

describe('a tag family', () => {
  it.each([
    ['v1.2.3', 'v1.3.0', true],
    ['1.2.3', 'v1.3.0', false],
    ['16-alpine3.19', '17-alpine3.19', true],
    ['16-alpine3.19', '17-alpine3.20', false],
    ['1.2', '1.2.3', false],
    ['4.0.9-ls306', '4.0.9-ls307', true],
    ['4.0.9', '4.0.9-ls307', false],
    ['1.2.3-debian-12-r3', '1.2.4-debian-12-r0', true],
    ['1.2.3-debian-11-r3', '1.2.4-debian-12-r0', false],
    ['1.2.3-debian-11', '1.2.3-debian-12', false],
    ['17.0.2_8-jre', '17.0.3_1-jre', true],
    ['RELEASE.2024-01-16T16-07-38Z', 'RELEASE.2024-02-01T00-00-00Z', true],
    ['pg14-v0.2.0', 'pg14-v0.3.0', true],
    ['pg14-v0.2.0', 'pg15-v0.2.0', false],
    ['8.2-5.6-apache', '8.3-5.6-apache', true],
  ])('%s and %s: %s', (one, other, same) => {
    expect(sameFamily(version(one), version(other))).toBe(same);
  });

  it.each([
    ['4.0.9-ls99', '4.0.9-ls306'],
    ['1.2.3-r2', '1.2.3-r10'],
    ['1.02.3', '1.10.3'],
    ['17.0.2_8', '17.0.2_10'],
    ['3.13.0a2', '3.13.0b1'],
    ['3.13.0b1', '3.13.0rc1'],
    ['3.13.0rc1', '3.13.0'],
    ['1.0.0-rc.2', '1.0.0-rc.10'],
    ['9007199254740993', '9007199254740994'],
    ['2024-01-31', '2024-02-01'],
  ])('%s is below %s', (lower, higher) => {
    expect(sameFamily(version(lower), version(higher))).toBe(true);
    expect(compareTags(version(lower), version(higher))).toBeLessThan(0);
    expect(newest(lower, [higher, lower], { prereleases: true })).toEqual([higher]);
    expect(newest(higher, [higher, lower], { prereleases: true })).toEqual([]);
  });

  it('equal numbers are not newer', () => {
    expect(newest('1.2', ['1.02', '1.2'])).toEqual([]);
  });

  it.each([
    ['1.2.3', '2.0.0', 'major'],
    ['1.2.3', '1.3.0', 'minor'],
    ['1.2.3', '1.2.4', 'patch'],
    ['1.2.3.4', '1.2.3.5', 'revision'],
    ['1.2.3-r1', '1.2.3-r2', 'revision'],
    ['1.2.3-rc1', '1.2.3-rc2', 'prerelease'],
    ['1.2.3-rc1', '1.2.3', 'prerelease'],
  ] as const)('from %s to %s is %s', (from, to, level) => {
    expect(levelOf(version(from), version(to))).toBe(level);
  });

  it('leaves out commits, signatures, attestations and tags of other platforms', () => {
    const signature = `sha256-${'a'.repeat(64)}`;
    expect([signature, `${signature}.sig`, `${signature}.att`, `${signature}.sbom`].every(isNoVersion)).toBe(true);
    expect(isNoVersion('20240101')).toBe(false);
    expect(newest('arm64v8-1.0.0', ['arm64v8-1.1.0'], { platform: 'linux/amd64' })).toEqual(['arm64v8-1.1.0']);
    expect(newest('1.0.0', ['1.1.0-arm64v8', '1.1.0-windowsservercore-ltsc2022'], { platform: 'linux/amd64' })).toEqual(
      [],
    );
  });

  it('is not opened by a commit of digits only behind the name of a branch', () => {
    expect(newest('main-1234567', ['main-7654321', 'main-8a3f1c2'])).toEqual([]);
    expect(['main-1234567', 'feature-x-12345678', `dev-${'1'.repeat(40)}`].map(isNoVersion)).toEqual([
      true,
      true,
      true,
    ]);
    for (const tag of ['build-1234567', 'nightly-20240101', 'main-123', 'v1234567', 'v1.2.3-1234567']) {
      expect(isNoVersion(tag)).toBe(false);
    }
  });
  it('does not take the number of an architecture for a version', () => {
    expect(newest('x86_64-1.2.3', ['x86_64-1.2.4', 'x86_64-1.3.0'])).toEqual(['x86_64-1.3.0', 'x86_64-1.2.4']);
    expect(newest('linux-x86-64-1.2.3', ['linux-x86-64-1.2.4'])).toEqual(['linux-x86-64-1.2.4']);
    expect(newest('1.2.3-x86_64', ['1.2.4-x86_64', '1.2.4-arm64'])).toEqual(['1.2.4-x86_64']);
  });
  it('has no numbers of any length: what is longer than a tag may be is none', () => {
    expect(parseTag(`1.${'9'.repeat(1_000_000)}`)).toBeUndefined();
    expect(newest('1.2', [`1.${'9'.repeat(200)}`, '1.3'])).toEqual(['1.3']);
  });

  const tag = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,30}$/),
    fc
      .tuple(
        fc.constantFrom('', 'v'),
        fc.array(fc.nat(3000), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', '-rc1', '-rc2', '-r1', '-0', '-alpine'),
      )
      .map(([prefix, numbers, end]) => `${prefix}${numbers.join('.')}${end}`),
  );
  it('is ordered strictly: never above itself, never both above and below, transitive', () => {
    fc.assert(
      fc.property(fc.array(tag, { minLength: 3, maxLength: 12 }), (tags) => {
        const versions = tags.flatMap((text) => parseTag(text) ?? []);
        for (const a of versions) {
          expect(compareTags(a, a)).toBe(0);
          expect(newest(a.tag, [a.tag])).toEqual([]);
          for (const b of versions) {
            expect(Math.sign(compareTags(a, b))).toBe(-Math.sign(compareTags(b, a)) + 0 || 0);
            for (const c of versions) {
              if (compareTags(a, b) <= 0 && compareTags(b, c) <= 0) expect(compareTags(a, c)).toBeLessThanOrEqual(0);
            }
          }
        }
      }),
    );
  });
  it('never offers a tag of another prefix, length or suffix', () => {
    fc.assert(
      fc.property(tag, fc.array(tag), (running, tags) => {
        const from = parseTag(running);
        for (const found of newerTags(running, tags)) {
          expect(found.prefix).toBe(from?.prefix);
          expect(found.numbers.length).toBe(from?.numbers.length);
          expect(found.suffix).toBe(from?.suffix);
        }
      }),
    );
  });
});
