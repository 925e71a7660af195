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
  /** Why the configuration could not be read; what comes from it is missing then, and is read again at the next check. */
  readonly unread: string | null;
}

/** What a container was told with the last good answer about its reference. */
export interface AskedFor {
  /** The local id of the reference then: tells a later pull from an old oddity. Null where it named nothing. */
  readonly named: string | null;
  /** Newer tags were looked for on its behalf, and the list came. */
  readonly tags: boolean;
  /** What was left out while tags were looked for, a sentence. */
  readonly tagsNote: string | null;
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
  /** We had signed in when access was denied: that says something of the credentials and nothing of the image. */
  readonly signedIn: boolean;
  /** Why what the digest holds could not be read, by platform. */
  readonly unread: Readonly<Record<string, string>>;
  /** Greater tags of the family that were looked at, with their digests. */
  readonly picks: readonly { readonly tag: string; readonly digest: string }[];
  readonly tagsFailure: string | null;
  /** By container key: the containers that stood before the good answer. It says nothing about one that came later. */
  readonly askers: Readonly<Record<string, AskedFor>>;
}

/** A digest that a tag has named (epoch milliseconds). */
export interface SeenDigest {
  readonly digest: string;
  readonly firstSeenAt: number;
  /** When the tag began to name it the last time: later than `firstSeenAt` where a publisher went back to it. */
  readonly since: number;
}

export const unasked: ReferenceAnswer = {
  digest: undefined,
  askedAt: null,
  goodAt: null,
  failure: null,
  failureKind: null,
  signedIn: false,
  unread: {},
  picks: [],
  tagsFailure: null,
  askers: {},
};
