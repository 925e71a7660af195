/**
 * Tags as people number them. A tag is prefix + numeric tuple + prerelease + suffix, with an optional build counter; two
 * tags can be compared only within one family. Not semver on purpose: `semver.coerce` finds versions where there are none.
 */
export interface VersionTag {
  readonly tag: string;
  readonly prefix: string;
  readonly numbers: readonly bigint[];
  readonly prerelease: Prerelease | undefined;
  /** Build counter with what introduces it: `-ls306`, `-r2`, `-0`, `_8`. */
  readonly revision: { readonly marker: string; readonly number: bigint } | undefined;
  readonly suffix: string;
}

export interface Prerelease {
  readonly rank: number;
  readonly numbers: readonly bigint[];
}

export type TagLevel = 'revision' | 'prerelease' | 'patch' | 'minor' | 'major';

const prereleaseRanks: Readonly<Record<string, number>> = {
  nightly: 0,
  snapshot: 0,
  canary: 0,
  edge: 0,
  unstable: 0,
  experimental: 0,
  insiders: 0,
  test: 0,
  dev: 0,
  alpha: 1,
  a: 1,
  ea: 1,
  beta: 2,
  b: 2,
  milestone: 3,
  m: 3,
  next: 3,
  preview: 3,
  pre: 3,
  rc: 4,
  cr: 4,
  c: 4,
};
const words =
  'nightly|snapshot|canary|edge|unstable|experimental|insiders|test|dev|alpha|beta|milestone|next|preview|pre|rc|cr|ea';
const prereleasePattern = new RegExp(
  `^[-._~+]?(?:(${words})(?:[-._]?(\\d+(?:\\.\\d+)*))?|([abcm])(\\d+))(?=$|[-_.+])`,
  'i',
);
/** Directly behind the version: any counter; at the end of a suffix only one with a word before it (`-debian-12` is no counter). */
const directRevision = /^([-_+](?:ls|r|rev|build|p|u)?)(\d+)(?=$|[-_+])/i;
const finalRevision = /([-_+](?:ls|r|rev|build|p|u))(\d+)$/i;
const datePattern = /(?<!\d)(\d{4})-(\d{2})-(\d{2})(?:T(\d{2})-(\d{2})-(\d{2})Z?)?(?!\d)/;

/** A tag is no longer (OCI distribution spec 1.1); numbers stay small enough to compare. */
const longestTag = 128;
/** Words for an architecture that hold a number. */
const numberedArchitecture = /(?<=^|[-_.])x86[-_]64(?=$|[-_.])/gi;

/** Undefined for a tag without a number, a commit, a signature or attestation. */
export function parseTag(tag: string): VersionTag | undefined {
  if (tag.length > longestTag || isNoVersion(tag)) return undefined;
  const dated = datePattern.exec(tag);
  if (dated) {
    const numbers = dated.slice(1).flatMap((part) => (part === undefined ? [] : [BigInt(part)]));
    return assemble(tag, tag.slice(0, dated.index), numbers, tag.slice(dated.index + dated[0].length));
  }
  const masked = tag.replaceAll(numberedArchitecture, (word) => 'x'.repeat(word.length));
  const found = /(?:^|[-_])[vV]?(?=\d)/.exec(masked) ?? /^\D*(?=\d)/.exec(masked);
  if (!found) return undefined;
  const start = found.index + found[0].length;
  const run = /^\d+(?:\.\d+)*/.exec(tag.slice(start))?.[0];
  if (run === undefined) return undefined;
  const rest = tag.slice(start + run.length);
  // `8a3f1c2-slim` and `2fast`: digits that open a word are not a version, `3.13.0rc1` and `1.2.3b2` are.
  if (/^[a-z]/i.test(rest) && !prereleasePattern.test(rest)) return undefined;
  return assemble(tag, tag.slice(0, start), run.split('.').map(BigInt), rest);
}

function assemble(tag: string, prefix: string, numbers: bigint[], rest: string): VersionTag {
  let left = rest;
  let prerelease: Prerelease | undefined;
  const pre = prereleasePattern.exec(left);
  if (pre) {
    const word = (pre[1] ?? pre[3] ?? '').toLowerCase();
    const counted = pre[2] ?? pre[4];
    prerelease = { rank: prereleaseRanks[word] ?? 0, numbers: counted?.split('.').map(BigInt) ?? [] };
    left = left.slice(pre[0].length);
  }
  const direct = directRevision.exec(left);
  if (direct) {
    return { tag, prefix, numbers, prerelease, revision: counter(direct), suffix: left.slice(direct[0].length) };
  }
  const final = finalRevision.exec(left);
  if (final) return { tag, prefix, numbers, prerelease, revision: counter(final), suffix: left.slice(0, final.index) };
  return { tag, prefix, numbers, prerelease, revision: undefined, suffix: left };
}

function counter(match: RegExpExecArray): { marker: string; number: bigint } {
  return { marker: match[1] ?? '', number: BigInt(match[2] ?? 0) };
}

/** Commits, signatures, attestations and bills of material: not versions, whatever digits they hold. */
export function isNoVersion(tag: string): boolean {
  if (/^sha256-[a-f0-9]{64}(?:\.[a-z]+)?$/.test(tag)) return true;
  const hex = /^(?:(?:sha|git|commit)-)?([a-f0-9]{7,40})$/.exec(tag);
  if (hex !== null) return hex[1] !== tag || !/^\d+$/.test(tag);
  return isBranchCommit(tag);
}

/** `main-8a3f1c2`: a commit behind the name of a branch. One in thirty holds digits only; a date or a counter is none. */
function isBranchCommit(tag: string): boolean {
  const found = /^([a-z][a-z0-9._-]*)[-_.]([a-f0-9]{7,9}|[a-f0-9]{40})$/i.exec(tag);
  if (found === null) return false;
  const [, word = '', commit = ''] = found;
  if (/\d/.test(word)) return false;
  if (!/^\d+$/.test(commit)) return true;
  return (
    !/(?:^|[-_.])(?:v|version|release|r|rev|revision|b|build|ls|p|u)$/i.test(word) && !/^(?:19|20)\d{6}$/.test(commit)
  );
}

/**
 * True where the numbers of two tags mean the same thing: equal prefix, tuple length, suffix and kind of build counter; a
 * bare counter (`1.21.11-0`) and none are of one kind. Calendar and semantic numbering are never one family.
 */
export function sameFamily(one: VersionTag, other: VersionTag): boolean {
  return (
    one.prefix === other.prefix &&
    one.numbers.length === other.numbers.length &&
    one.suffix === other.suffix &&
    counterKind(one) === counterKind(other) &&
    !isOtherScheme(one, other)
  );
}

function counterKind(version: VersionTag): string {
  const marker = version.revision?.marker ?? '';
  return marker === '-' || marker === '_' || marker === '+' ? '' : marker.toLowerCase();
}

function isOtherScheme(one: VersionTag, other: VersionTag): boolean {
  const [a = 0n] = one.numbers;
  const [b = 0n] = other.numbers;
  return (a >= 1900n && b < 1000n) || (b >= 1900n && a < 1000n);
}

/** Below zero, zero, above zero. Only meaningful within one family; a release is above its prereleases. */
export function compareTags(one: VersionTag, other: VersionTag): number {
  return (
    compareNumbers(one.numbers, other.numbers) ||
    comparePrereleases(one.prerelease, other.prerelease) ||
    compareBig(one.revision?.number ?? -1n, other.revision?.number ?? -1n)
  );
}

function compareNumbers(one: readonly bigint[], other: readonly bigint[]): number {
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const order = compareBig(one[index] ?? -1n, other[index] ?? -1n);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePrereleases(one: Prerelease | undefined, other: Prerelease | undefined): number {
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
  return one.rank - other.rank || compareNumbers(one.numbers, other.numbers);
}

function compareBig(one: bigint, other: bigint): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** The size of the step from the running tag to a greater one of its family. */
export function levelOf(from: VersionTag, to: VersionTag): TagLevel {
  const index = to.numbers.findIndex((number, at) => number !== from.numbers[at]);
  if (index === 0) return 'major';
  if (index === 1) return 'minor';
  if (index === 2) return 'patch';
  if (index > 2) return 'revision';
  return comparePrereleases(from.prerelease, to.prerelease) === 0 ? 'revision' : 'prerelease';
}

export interface NewerTagOptions {
  /** Propose prereleases although the running tag is a release. */
  readonly prereleases?: boolean;
  /** `linux/amd64`: tags that name another platform are left out. */
  readonly platform?: string | undefined;
  readonly accepts?: (tag: string) => boolean;
  /** How a tag is to be read; the running one too. */
  readonly parse?: (tag: string) => VersionTag | undefined;
}

/** Tags strictly greater than the running one in its family, greatest first; equal ones (`1.2` and `1.02`) appear once. */
export function newerTags(running: string, tags: readonly string[], options: NewerTagOptions = {}): VersionTag[] {
  const parse = options.parse ?? parseTag;
  const from = parse(running);
  if (from === undefined) return [];
  const prereleases = options.prereleases === true || from.prerelease !== undefined;
  const newer = tags.flatMap((tag) => {
    const version = parse(tag);
    if (version === undefined || !sameFamily(from, version) || compareTags(version, from) <= 0) return [];
    if (version.prerelease !== undefined && !prereleases) return [];
    if (namesOtherPlatform(tag, running, options.platform)) return [];
    return options.accepts === undefined || options.accepts(tag) ? [version] : [];
  });
  newer.sort((one, other) => compareTags(other, one));
  return newer.filter((version, index) => {
    const before = newer[index - 1];
    return before === undefined || compareTags(before, version) !== 0;
  });
}

const architectureWords: readonly { readonly pattern: RegExp; readonly architecture: string }[] = [
  { pattern: /(?:^|[-_.])(?:arm64(?:v8)?|aarch64)(?=$|[-_.])/i, architecture: 'arm64' },
  { pattern: /(?:^|[-_.])(?:arm32v\d|armv\d(?:hf)?|armhf|arm)(?=$|[-_.])/i, architecture: 'arm' },
  { pattern: /(?:^|[-_.])(?:amd64|x86[-_]64)(?=$|[-_.])/i, architecture: 'amd64' },
  { pattern: /(?:^|[-_.])(?:386|i386)(?=$|[-_.])/i, architecture: '386' },
  { pattern: /(?:^|[-_.])ppc64le(?=$|[-_.])/i, architecture: 'ppc64le' },
  { pattern: /(?:^|[-_.])s390x(?=$|[-_.])/i, architecture: 's390x' },
  { pattern: /(?:^|[-_.])riscv64(?=$|[-_.])/i, architecture: 'riscv64' },
];
const windowsWords = /windows|nanoserver|ltsc/i;

/** True for `…-arm64v8` on amd64 and `windows…` on Linux, unless the running tag names the same. */
export function namesOtherPlatform(tag: string, running: string, platform: string | undefined): boolean {
  if (platform === undefined) return false;
  const [os, architecture] = platform.split('/');
  if (os !== 'windows' && windowsWords.test(tag) && !windowsWords.test(running)) return true;
  return architectureWords.some(
    (word) => word.architecture !== architecture && word.pattern.test(tag) && !word.pattern.test(running),
  );
}
