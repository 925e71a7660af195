import { RegistryError, type RepositoryName } from './registry-client.ts';
import { TagPage } from './registry-documents.ts';
import type { FetchAnswer } from './registry-fetch.ts';

const mostPages = 1000;
const mostTags = 100_000;
const mostRememberedCharacters = 8 * 1_048_576;
/** OCI distribution spec 1.1, "Pulling manifests". */
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

interface Page {
  readonly tags: readonly string[];
  /** Target of the next page; undefined at the end. */
  readonly next: string | undefined;
}

/** Lists tags. What was listed is remembered with its ETag and asked for again only when it has changed. */
export interface TagPages {
  /** All pages, or an error: never a part. What no tag can be is left out. Undefined: there is no such list (404). */
  list(repository: RepositoryName): Promise<string[] | undefined>;
}

export function createTagPages(
  get: (repository: RepositoryName, target: string, headers: Readonly<Record<string, string>>) => Promise<FetchAnswer>,
): TagPages {
  const known = new Map<string, Page & { readonly etag: string; readonly size: number }>();
  let characters = 0;

  function forget(key: string): void {
    characters -= known.get(key)?.size ?? 0;
    known.delete(key);
  }

  function remember(key: string, page: Page, etag: string): void {
    const size = page.tags.reduce((sum, tag) => sum + tag.length, key.length + etag.length);
    known.set(key, { ...page, etag, size });
    characters += size;
    for (const oldest of known.keys()) {
      if (characters <= mostRememberedCharacters) break;
      forget(oldest);
    }
  }

  async function load(repository: RepositoryName, target: string): Promise<Page | undefined> {
    const key = `${repository.host}${target}`;
    const before = known.get(key);
    const answer = await get(repository, target, before ? { 'if-none-match': before.etag } : {});
    if (answer.status === 404) return undefined;
    if (answer.status === 304 && before) return before;
    const tags = readTags(repository, answer);
    const page = { tags, next: nextPage(repository.host, answer.header('link'), answer.url) };
    forget(key);
    const etag = answer.header('etag');
    if (etag !== undefined) remember(key, page, etag);
    return page;
  }

  return {
    async list(repository) {
      const all: string[] = [];
      const seen = new Set<string>();
      let target: string | undefined = `/v2/${repository.path}/tags/list?n=1000`;
      while (target !== undefined) {
        if (seen.has(target)) throw broken(repository, 'links its pages of tags in a circle');
        if (seen.size >= mostPages) throw broken(repository, `has more than ${mostPages} pages of tags`);
        seen.add(target);
        const page = await load(repository, target);
        if (page === undefined && seen.size === 1) return undefined;
        if (page === undefined) throw broken(repository, `links to page ${seen.size} of its tags and does not have it`);
        for (const tag of page.tags) all.push(tag);
        if (all.length > mostTags) throw broken(repository, `has more than ${mostTags} tags`);
        target = page.next;
      }
      return all;
    },
  };
}

function readTags(repository: RepositoryName, answer: FetchAnswer): string[] {
  let page: TagPage;
  try {
    page = TagPage.parse(JSON.parse(answer.body.toString('utf8')));
  } catch (error) {
    throw broken(repository, 'answers with something that is no list of tags', error);
  }
  return (page.tags ?? []).filter((tag) => tagPattern.test(tag));
}

/**
 * The target of the next page from a `Link: <…>; rel="next"` header (RFC 8288). Another origin is refused. Our own path is
 * kept and only the query taken over, because Artifactory leaves its virtual prefix out of the link. Undefined at the end.
 */
function nextPage(host: string, link: string | undefined, current: URL): string | undefined {
  const target = nextTarget(link);
  if (target === undefined) return undefined;
  if (!URL.canParse(target, current))
    throw new RegistryError('broken', host, `The registry ${host} links to a next page that is no address.`);
  const next = new URL(target, current);
  if (next.host !== current.host) {
    const text = `The registry ${host} links to a next page on another host, which is refused.`;
    throw new RegistryError('broken', host, text);
  }
  return `${current.pathname}${next.search}`;
}

function nextTarget(link: string | undefined): string | undefined {
  for (const [, target, parameters = ''] of (link ?? '').matchAll(/<([^>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*(?:"[^"]*\bnext\b[^"]*"|next\b)/i.test(parameters)) return target;
  }
  return undefined;
}

function broken({ host, path }: RepositoryName, what: string, cause?: unknown): RegistryError {
  return new RegistryError('broken', host, `The registry ${host} ${what} for ${path}.`, { cause });
}
