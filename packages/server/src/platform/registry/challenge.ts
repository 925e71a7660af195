/** One challenge of a `WWW-Authenticate` header (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case, values untouched. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y;

/** All challenges of one or several header lines. Commas inside quotes belong to the value; what makes no sense is skipped. */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };
  while (at < text.length) {
    skip(/[\s,]+/y);
    const word = skip(token);
    if (word === '') {
      at += 1;
      continue;
    }
    const spaces = skip(/[ \t]*/y);
    const isParameter = text[at] === '=' && !(spaces !== '' && /^=+\s*(?:,|$)/.test(text.slice(at)));
    const current = challenges.at(-1);
    if (!isParameter || current === undefined) {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
      skip(/[A-Za-z0-9._~+/-]+=+(?=\s*(?:,|$))/y);
      continue;
    }
    at += 1;
    skip(/[ \t]*/y);
    const quoted = skip(/"(?:[^"\\]|\\.)*"?/y);
    const value =
      quoted === ''
        ? skip(/[^\s,]*/y)
        : quoted.slice(1, quoted.endsWith('"') ? -1 : undefined).replaceAll(/\\(.)/g, '$1');
    current.parameters[word.toLowerCase()] = value;
  }
  return challenges;
}
