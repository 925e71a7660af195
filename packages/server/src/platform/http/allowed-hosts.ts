import { isIP } from 'node:net';

/**
 * The names under which this server may be called. A page of another site that points its own name at our address (DNS
 * rebinding) is refused by its name; an attacker cannot own an IP literal, a loopback name or the machine's own name.
 */
export interface AllowedHosts {
  /** Of a `Host` header, with or without a port. */
  allows(host: string | undefined): boolean;
  /** Of an `Origin` header: the very host that the request is sent to, by http or https. */
  sameOrigin(origin: string, host: string | undefined): boolean;
}

export function createAllowedHosts(names: readonly string[]): AllowedHosts {
  const known = new Set(names.map((name) => name.toLowerCase()));
  return {
    allows(host) {
      const name = nameOf(host);
      if (name === undefined) return false;
      return name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0 || known.has(name);
    },
    sameOrigin(origin, host) {
      if (host === undefined || !/^https?:\/\/[^/]+$/i.test(origin)) return false;
      const scheme = origin.slice(0, origin.indexOf('://')).toLowerCase();
      return withPort(origin.slice(scheme.length + 3), scheme) === withPort(host, scheme);
    },
  };
}

/** The name without port and brackets, in small letters; undefined when it is no host at all. */
function nameOf(host: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? '') ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '');
}

function withPort(host: string, scheme: string): string {
  const small = host.toLowerCase();
  if (/:\d+$/.test(small)) return small;
  return `${small}:${scheme === 'https' ? 443 : 80}`;
}
