import { type Settings, type UpdateLevel, updateLevels } from '@evenkeel/contract';
import { RE2 } from 're2-wasm';
import { parseTag, type VersionTag } from './tag-family.ts';

/** What may be proposed for one container: from its labels, and the settings where they say nothing. */
export interface UpdatePolicy {
  readonly watched: boolean;
  /** Look for newer tags, not only for another digest of the same tag. */
  readonly tags: boolean;
  /** The highest level that is proposed. */
  readonly level: UpdateLevel;
  readonly prereleases: boolean;
  readonly accepts: (tag: string) => boolean;
  /** The version in a tag, after the transformation that a label wants; `.tag` stays the real one. */
  readonly parse: (tag: string) => VersionTag | undefined;
  /** A label that cannot be understood, as a sentence; newer tags are then not looked for. */
  readonly problem: string | null;
}

export type PolicySettings = Pick<Settings, 'lookForTags' | 'highestLevel' | 'watchByDefault'>;
export type PolicyReader = (labels: Readonly<Record<string, string>>, settings: PolicySettings) => UpdatePolicy;

const longestPattern = 256;
const mostPatterns = 1000;

/**
 * Reads `evenkeel.*` labels, and those of Watchtower, What's Up Docker and Diun as their users know them. Ours win; of the
 * others a refusal wins. Patterns run on RE2, in linear time, unanchored as in those tools.
 */
export function createPolicyReader(): PolicyReader {
  const compiled = new Map<string, RE2 | undefined>();

  function compile(pattern: string): RE2 | undefined {
    if (compiled.has(pattern)) return compiled.get(pattern);
    let expression: RE2 | undefined;
    try {
      expression = pattern.length > longestPattern ? undefined : new RE2(pattern, 'u');
    } catch {
      expression = undefined;
    }
    if (compiled.size >= mostPatterns) compiled.clear();
    compiled.set(pattern, expression);
    return expression;
  }

  return (labels, settings) => {
    const problems: string[] = [];
    const patterns = (...lists: readonly [label: string, separator: string | undefined][]): RE2[] | undefined => {
      for (const [label, separator] of lists) {
        const text = labels[label]?.trim();
        if (text === undefined || text === '') continue;
        const parts = separator === undefined ? [text] : text.split(separator).map((part) => part.trim());
        return parts.flatMap((part) => {
          const expression = part === '' ? undefined : compile(part);
          if (expression === undefined && part !== '') problems.push(patternProblem(label, part));
          return expression ?? [];
        });
      }
      return undefined;
    };
    const include = patterns(
      ['evenkeel.tags.include', undefined],
      ['wud.tag.include', undefined],
      ['diun.include_tags', ';'],
    );
    const exclude = patterns(
      ['evenkeel.tags.exclude', undefined],
      ['wud.tag.exclude', undefined],
      ['diun.exclude_tags', ';'],
    );
    const transform = transformOf(labels, compile, problems);
    const level = levelOfLabel(labels['evenkeel.level'], problems) ?? settings.highestLevel;
    const accepts = (tag: string): boolean =>
      (include === undefined || include.some((one) => one.test(tag))) && !(exclude ?? []).some((one) => one.test(tag));
    return {
      watched: isWatched(labels, settings),
      tags: problems.length === 0 && wantsTags(labels, settings),
      level,
      prereleases: truth(labels['evenkeel.prereleases']) === true,
      accepts,
      parse: transform === undefined ? parseTag : (tag) => named(tag, parseTag(transform(tag))),
      problem: problems[0] ?? null,
    };
  };
}

function isWatched(labels: Readonly<Record<string, string>>, settings: PolicySettings): boolean {
  const own = truth(labels['evenkeel.watch']);
  if (own !== undefined) return own;
  const others = ['com.centurylinklabs.watchtower.enable', 'wud.watch', 'diun.enable'].map((label) =>
    truth(labels[label]),
  );
  if (others.includes(false)) return false;
  // Watchtower then compares with what is on the host only; a pull by hand is seen without a question.
  if (truth(labels['com.centurylinklabs.watchtower.no-pull']) === true) return false;
  // Its monitor-only means: look, but leave the container alone. That is what we do; it selects nothing by itself.
  return others.includes(true) || settings.watchByDefault;
}

function wantsTags(labels: Readonly<Record<string, string>>, settings: PolicySettings): boolean {
  const own = truth(labels['evenkeel.tags']);
  if (own !== undefined) return own;
  const watchRepository = truth(labels['diun.watch_repo']);
  const asked = labels['evenkeel.tags.include'] ?? labels['wud.tag.include'];
  return watchRepository === true || (asked !== undefined && asked !== '') || settings.lookForTags === 'always';
}

function levelOfLabel(text: string | undefined, problems: string[]): UpdateLevel | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const level = updateLevels.find((one) => one === text.trim().toLowerCase());
  if (level === undefined) problems.push(`The label evenkeel.level must be one of ${updateLevels.join(', ')}.`);
  return level;
}

/**
 * What's Up Docker's `<pattern> => <replacement>`: what is compared is the replacement, with `$1` and so on from the pattern; a
 * tag that does not match is compared as it is.
 */
function transformOf(
  labels: Readonly<Record<string, string>>,
  compile: (pattern: string) => RE2 | undefined,
  problems: string[],
): ((tag: string) => string) | undefined {
  const label = ['evenkeel.tags.transform', 'wud.tag.transform'].find((one) => (labels[one] ?? '').trim() !== '');
  if (label === undefined) return undefined;
  const [pattern = '', replacement, ...rest] = (labels[label] ?? '').split(/\s*=>\s*/).map((part) => part.trim());
  const expression = pattern === '' ? undefined : compile(pattern);
  if (expression === undefined || replacement === undefined || rest.length > 0) {
    const shape = `The label ${label} must read "<pattern> => <replacement>".`;
    problems.push(
      pattern !== '' && replacement !== undefined && rest.length === 0 ? patternProblem(label, pattern) : shape,
    );
    return undefined;
  }
  return (tag) => {
    const match = expression.exec(tag);
    return match === null ? tag : replacement.replaceAll(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? '');
  };
}

function named(tag: string, version: VersionTag | undefined): VersionTag | undefined {
  return version === undefined ? undefined : { ...version, tag };
}

function patternProblem(label: string, pattern: string): string {
  const shown = pattern.length > 60 ? `${pattern.slice(0, 57)}…` : pattern;
  return `The label ${label} holds a pattern that cannot be used (RE2 syntax, ${longestPattern} characters at most): ${shown}`;
}

function truth(text: string | undefined): boolean | undefined {
  const word = text?.trim().toLowerCase();
  if (word === 'true' || word === '1' || word === 'yes') return true;
  return word === 'false' || word === '0' || word === 'no' ? false : undefined;
}

/** True where a step of this level is not above the highest that the policy takes. */
export function isWithin(level: UpdateLevel, highest: UpdateLevel): boolean {
  return updateLevels.indexOf(level) <= updateLevels.indexOf(highest);
}
