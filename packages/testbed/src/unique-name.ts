import { randomBytes } from 'node:crypto';

const issued = new Set<string>();

/** A name that no other test, worker or run uses, such as "web-3f9a1c04". Used for containers, networks, volumes, repositories. */
export function uniqueName(prefix: string): string {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  issued.add(name);
  return name;
}

/**
 * True for a name that this process issued, and for the names that an update run derives from it (`.next.…`, `.prev.…`,
 * `.hold.…`). On an engine that is not ours nothing else is ever removed.
 */
export function isOurName(name: string): boolean {
  if (issued.has(name)) return true;
  const base = /^(.+)\.(?:next|prev|hold)\./.exec(name)?.[1];
  return base !== undefined && issued.has(base);
}
