import { RegistryError } from './registry-client.ts';

export const mostTagPages = 1000;

/**
 * The target of the next page from a `Link: <…>; rel="next"` header (RFC 8288). Another origin is refused. Our own path is
 * kept and only the query taken over, because Artifactory leaves its virtual prefix out of the link. Undefined at the end.
 */
export function nextPage(host: string, link: string | undefined, current: URL): string | undefined {
  const target = nextTarget(link);
  if (target === undefined) return undefined;
  if (!URL.canParse(target, current))
    throw new RegistryError('broken', host, `The registry ${host} links to a next page that is no address.`);
  const next = new URL(target, current);
  if (next.host !== current.host) {
    throw new RegistryError(
      'broken',
      host,
      `The registry ${host} links to a next page on another host, which is refused.`,
    );
  }
  return `${current.pathname}${next.search}`;
}

function nextTarget(link: string | undefined): string | undefined {
  for (const [, target, parameters = ''] of (link ?? '').matchAll(/<([^>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*(?:"[^"]*\bnext\b[^"]*"|next\b)/i.test(parameters)) return target;
  }
  return undefined;
}
