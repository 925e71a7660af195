import type { ImageDefaults } from './image-changes.ts';

/** An image as an engine has it. */
export interface LocalImage {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  /** `linux/amd64`, `linux/arm/v7`. */
  readonly platform: string;
  readonly created: string | null;
  readonly defaults: ImageDefaults;
  /** Digests of the uncompressed layers, bottom first. */
  readonly layers: readonly string[];
}

/** One container and the local images that matter to it. */
export interface Observed {
  /** `Config.Image`, as the user wrote it. */
  readonly image: string;
  /** `.Image`: the id that is running. */
  readonly imageId: string;
  readonly stack: string | null;
  readonly service: string | null;
  /** The running image; undefined when the engine no longer has it. */
  readonly running: LocalImage | undefined;
  /** The image that the reference names on this engine now; undefined when it names none. */
  readonly named: LocalImage | undefined;
}

/** An image of a registry, for the platform of a running one. */
export interface RemoteImage {
  /** Digest of the tag: of the index where there is one. */
  readonly digest: string;
  /** Null where the index has nothing for the platform; so are the others then. */
  readonly platformDigest: string | null;
  readonly imageId: string | null;
  readonly created: string | null;
  readonly version: string | null;
  readonly source: string | null;
  readonly layerSizes: readonly number[];
  readonly diffIds: readonly string[];
  readonly defaults: ImageDefaults;
}

/** What the registry last said about one reference. Good answers stay when later questions fail. */
export interface ReferenceAnswer {
  /** Digest of the tag; null: the registry does not know it; undefined: it never gave an answer. */
  readonly digest: string | null | undefined;
  readonly askedAt: number | null;
  readonly goodAt: number | null;
  /** Why the last question failed; null when it did not. */
  readonly failure: string | null;
  /** `denied` where the registry refused access rather than being sick. */
  readonly failureKind: 'sick' | 'busy' | 'denied' | 'broken' | null;
  /** Greater tags of the family that were looked at, with their digests. */
  readonly picks: readonly { readonly tag: string; readonly digest: string }[];
  readonly tagsFailure: string | null;
  /** An earlier digest of the tag that is old enough while the present one is too new. */
  readonly settled: string | null;
}

export const unasked: ReferenceAnswer = {
  digest: undefined,
  askedAt: null,
  goodAt: null,
  failure: null,
  failureKind: null,
  picks: [],
  tagsFailure: null,
  settled: null,
};
