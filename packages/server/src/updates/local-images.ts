import type { Engine } from '../platform/engine/engine.ts';
import type { ImageInspect } from '../platform/engine/engine-types.ts';
import type { LocalImage } from './observed.ts';
import { platformText } from './platform-choice.ts';
import { effectiveTag, formatReference, parseReference } from './reference.ts';

/** The images of one engine: one list for all, one inspect for each id that was never seen (an image never changes). */
export interface LocalImages {
  refresh(engine: Engine, wanted: Iterable<string>): Promise<void>;
  /** True once a refresh has succeeded. */
  readonly known: boolean;
  /** Those that were wanted. */
  all(): Iterable<LocalImage>;
  byId(id: string): LocalImage | undefined;
  /** What a reference as users write it names now. */
  byReference(reference: string): LocalImage | undefined;
}

interface Constant {
  readonly platform: string;
  readonly created: string | null;
  readonly defaults: LocalImage['defaults'];
  readonly layers: readonly string[];
}

export function createLocalImages(): LocalImages {
  const constants = new Map<string, Constant>();
  let images = new Map<string, LocalImage>();
  let names = new Map<string, string>();
  let known = false;

  async function constantOf(engine: Engine, id: string): Promise<Constant | undefined> {
    const present = constants.get(id);
    if (present) return present;
    const inspect = await engine.images.inspect(id);
    if (inspect === undefined) return undefined;
    const constant = toConstant(inspect);
    constants.set(id, constant);
    return constant;
  }

  return {
    async refresh(engine, wanted) {
      const list = await engine.images.list();
      const nextNames = new Map<string, string>();
      const summaries = new Map(list.map((summary) => [summary.Id, summary]));
      for (const { Id, RepoTags } of list) {
        for (const tag of RepoTags ?? []) {
          const normal = normalise(tag);
          if (normal !== undefined) nextNames.set(normal, Id);
        }
      }
      const ids = new Set<string>();
      for (const one of wanted) {
        // An image id, or a reference whose image matters although nothing runs it.
        const id = summaries.has(one)
          ? one
          : (nextNames.get(normalise(one) ?? '') ?? (one.startsWith('sha256:') ? one : undefined));
        if (id !== undefined) ids.add(id);
      }
      const next = new Map<string, LocalImage>();
      for (const id of ids) {
        const constant = await constantOf(engine, id);
        const summary = summaries.get(id);
        if (constant === undefined) continue;
        const repoTags = summary?.RepoTags ?? [];
        next.set(id, { id, repoTags, repoDigests: (summary?.RepoDigests ?? []).filter(isNamed), ...constant });
      }
      for (const id of constants.keys()) if (!next.has(id)) constants.delete(id);
      images = next;
      names = nextNames;
      known = true;
    },
    get known() {
      return known;
    },
    all: () => images.values(),
    byId: (id) => images.get(id),
    byReference(reference) {
      const normal = normalise(reference);
      return normal === undefined ? undefined : images.get(names.get(normal) ?? '');
    },
  };
}

function isNamed(digest: string): boolean {
  return !digest.startsWith('<none>');
}

function toConstant(inspect: ImageInspect): Constant {
  return {
    platform: platformText(inspect.Os, inspect.Architecture, inspect.Variant),
    created: inspect.Created ?? null,
    defaults: inspect.Config ?? {},
    layers: inspect.RootFS?.Layers ?? [],
  };
}

function normalise(text: string): string | undefined {
  const parsed = parseReference(text);
  if (!parsed.ok) return undefined;
  const tag = effectiveTag(parsed.reference);
  return tag === undefined ? undefined : formatReference({ ...parsed.reference, tag, digest: undefined });
}
