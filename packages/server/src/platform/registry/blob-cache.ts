/** Keeps documents by digest beyond a restart. Both may fail; the cache then does without. */
export interface BlobStore {
  get(digest: string): Promise<string | undefined>;
  put(digest: string, text: string): Promise<void>;
}

/**
 * Documents by digest: immutable, so what is known is never asked for again. Bounded in memory by the length of the texts;
 * those used longest ago go first. Only what has come is shared between sources: a fetch in flight belongs to the source that
 * it asks, because another may answer while this one hangs or has nothing.
 */
export interface BlobCache {
  get(digest: string, source: string, fetch: () => Promise<string | undefined>): Promise<string | undefined>;
}

export function createBlobCache(options: {
  mostCharacters: number;
  store: BlobStore | undefined;
  onStoreFailure: (error: unknown) => void;
}): BlobCache {
  const { mostCharacters, store, onStoreFailure } = options;
  const texts = new Map<string, string>();
  const running = new Map<string, Promise<string | undefined>>();
  let size = 0;

  function remember(digest: string, text: string): void {
    if (texts.has(digest) || text.length > mostCharacters) return;
    texts.set(digest, text);
    size += text.length;
    for (const [oldest, old] of texts) {
      if (size <= mostCharacters) break;
      texts.delete(oldest);
      size -= old.length;
    }
  }

  async function load(digest: string, fetch: () => Promise<string | undefined>): Promise<string | undefined> {
    const stored = await store?.get(digest).catch((error: unknown) => void onStoreFailure(error));
    if (stored !== undefined) {
      remember(digest, stored);
      return stored;
    }
    const text = await fetch();
    if (text === undefined) return undefined;
    remember(digest, text);
    await store?.put(digest, text).catch(onStoreFailure);
    return text;
  }

  return {
    async get(digest, source, fetch) {
      const known = texts.get(digest);
      if (known !== undefined) {
        texts.delete(digest);
        texts.set(digest, known);
        return known;
      }
      const key = `${source} ${digest}`;
      const present = running.get(key);
      if (present) return present;
      const work = load(digest, fetch).finally(() => running.delete(key));
      running.set(key, work);
      return work;
    },
  };
}
