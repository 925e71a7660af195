/**
 * True for what the engine stores when nothing was asked for. It answers with null, [], {}, 0, false or "" for the same
 * "nothing", depending on the field and the version. A map of the user's own keys (`80/tcp`, `/data`) is something as soon as it
 * has one; a structure of the engine's (`Type`, `Config`) is not before one of its fields is.
 */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object') return Object.entries(value).every(([key, part]) => isField(key) && isNothing(part));
  return false;
}

/** The engine's own fields begin with a capital letter. */
function isField(key: string): boolean {
  return /^[A-Z]/.test(key);
}

/** Deep equality in which all forms of nothing are equal, and fields that are nothing count as absent. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (isNothing(left) || isNothing(right)) return isNothing(left) && isNothing(right);
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => sameElement(item, right[index]));
  }
  if (isRecord(left) && isRecord(right)) {
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...keys].every(
      (key) => (isField(key) || (key in left && key in right)) && sameValue(left[key], right[key]),
    );
  }
  return left === right;
}

/** Inside a list an empty text is an element: `[""]` differs from `[]`, but nested nothings are still equal. */
function sameElement(left: unknown, right: unknown): boolean {
  return typeof left === 'string' || typeof right === 'string' ? left === right : sameValue(left, right);
}

/** Equality of two lists of words without regard to order and repetition. */
export function sameSet(left: readonly string[], right: readonly string[]): boolean {
  const [a, b] = [new Set(left), new Set(right)];
  return a.size === b.size && [...a].every((item) => b.has(item));
}

/** Equality of two maps of words, in which an absent map is an empty one and every key counts, whatever its value. */
export function sameMap(left: unknown, right: unknown): boolean {
  const [a, b] = [left ?? {}, right ?? {}] as [Record<string, unknown>, Record<string, unknown>];
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && a[key] === b[key]);
}

/** Equality of two lists of words, in which an absent list is an empty one. */
export function sameList(left: readonly string[] | null | undefined, right: readonly string[] | null | undefined) {
  const [a, b] = [left ?? [], right ?? []];
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
