import { describe, expect, it } from 'vitest';
import { choosePlatform, isSamePlatform } from './platform-choice.ts';

const image = 'application/vnd.oci.image.manifest.v1+json';
const entry = (digest: string, platform?: string, mediaType = image) => {
  const [os = '', architecture = '', variant] = platform?.split('/') ?? [];
  const named = { os, architecture, ...(variant ? { variant } : {}) };
  return { mediaType, digest, size: 1, ...(platform ? { platform: named } : {}) };
};
const index = 'application/vnd.oci.image.index.v1+json';

describe('the entry of an index', () => {
  const entries = [
    entry('attestation', 'unknown/unknown'),
    entry('amd64', 'linux/amd64'),
    entry('v6', 'linux/arm/v6'),
    entry('v7', 'linux/arm/v7'),
    entry('arm64', 'linux/arm64/v8'),
    entry('windows', 'windows/amd64'),
    entry('inner', undefined, index),
  ];
  it.each([
    ['linux/amd64', 'amd64'],
    ['linux/arm/v7', 'v7'],
    ['linux/arm/v6', 'v6'],
    ['linux/arm64', 'arm64'],
    ['linux/arm64/v8', 'arm64'],
    ['windows/amd64', 'windows'],
    ['linux/arm', 'v6'],
    ['linux/s390x', undefined],
  ])('for %s is %s', (platform, digest) => {
    expect(choosePlatform(entries, platform).manifest?.digest).toBe(digest);
  });
  it('may stand in a nested index', () => {
    expect(choosePlatform(entries, 'linux/s390x').nested.map(({ digest }) => digest)).toEqual(['inner']);
  });
  it('of another variant does not serve', () => {
    expect(choosePlatform([entry('v6', 'linux/arm/v6')], 'linux/arm/v7').manifest).toBeUndefined();
    expect(isSamePlatform('linux/arm64', 'linux/arm64/v8')).toBe(true);
    expect(isSamePlatform('linux/arm/v6', 'linux/arm/v7')).toBe(false);
  });
});
