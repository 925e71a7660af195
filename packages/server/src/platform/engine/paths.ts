import { EngineError } from './engine.ts';

/** `?a=1&b=2` of what is defined; empty without any. */
export function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) search.set(name, typeof value === 'boolean' ? String(Number(value)) : String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * The name of an engine object as a path segment. What cannot be a name is answered as the engine would answer an unknown
 * one, so that `..` never becomes part of a path.
 */
export function segment(kind: 'container' | 'network' | 'volume', name: string): string {
  if (name === '' || /^\.+$/.test(name) || name.includes('/')) {
    throw new EngineError(404, `look up ${kind}`, `No such ${kind}: ${name}`);
  }
  return encodeURIComponent(name);
}

/** An image id or reference as a path. */
export function imageSegment(idOrReference: string): string {
  const parts = idOrReference.split('/');
  if (!parts.every((part) => /^[a-zA-Z0-9][a-zA-Z0-9_.:@+-]*$/.test(part))) {
    throw new EngineError(404, 'look up image', `No such image: ${idOrReference}`);
  }
  return parts.join('/');
}

/** Undefined for 404, the error otherwise. */
export function absent(error: unknown): undefined {
  if (error instanceof EngineError && error.status === 404) return undefined;
  throw error;
}
