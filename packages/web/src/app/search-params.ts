/** Reading view state from the URL: whatever is not as expected counts as absent. */
export function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined;
}

/** A comma-separated list. */
export function textList(value: unknown): string | undefined {
  return text(value);
}

export function oneOf<const T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === String(value));
}

/** The members of a list parameter. */
export function members(list: string | undefined): ReadonlySet<string> {
  return new Set(list ? list.split(',') : []);
}

/** The list parameter with `member` switched on or off; undefined when none is left. */
export function toggled(list: string | undefined, member: string): string | undefined {
  const next = new Set(members(list));
  if (!next.delete(member)) next.add(member);
  return next.size > 0 ? [...next].join(',') : undefined;
}
