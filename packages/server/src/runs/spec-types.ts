import type { Finding } from '@evenkeel/contract';
import type { ContainerInspect, CreateBody, EndpointSettings, ImageInspect } from '../platform/engine/engine-types.ts';

/** Everything the spec of a replacement is computed from: observed facts only, so that the computation is pure. */
export interface SpecInput {
  readonly container: ContainerInspect;
  /** The image that the container was created from, by id: the tag may have moved. */
  readonly oldImage: ImageInspect;
  /** For the update of an owner's dependant: the same as `oldImage`. */
  readonly newImage: ImageInspect;
  /** What goes into `Config.Image`. */
  readonly image: string;
  /** Negotiated, `1.41`. */
  readonly apiVersion: string;
  /** The daemon's own `os/architecture`: `linux/amd64`. */
  readonly daemonPlatform: string;
  /** Host name of the engine's machine: what inspect shows as Hostname with `--network host`. */
  readonly daemonName: string;
  /** Networks of the engine by name: whether one still exists and has a configured subnet. */
  readonly networks: Readonly<Record<string, { id: string; driver: string; hasSubnet: boolean }>>;
  /** For `container:<id>` namespaces and links: old id → id and name to point at instead. */
  readonly replaced: Readonly<Record<string, { id: string; name: string }>>;
  /** Containers that exist, by id and by name (for VolumesFrom and links). */
  readonly existing: ReadonlySet<string>;
  /** Volume names whose content is empty now: their mounts get `nocopy`. */
  readonly emptyVolumes: ReadonlySet<string>;
  /** Start-first: the final name is given as an alias on user networks. */
  readonly nameAlias: boolean;
  readonly finalName: string;
}

/** What is sent to the engine for one replacement. */
export interface ReplacementSpec {
  readonly create: CreateBody;
  /** Only where it differs from the daemon's. */
  readonly platform: string | undefined;
  /** `POST /networks/{network}/connect` before the start, in this order (API < 1.44). */
  readonly connects: readonly { readonly network: string; readonly endpoint: EndpointSettings }[];
  readonly warnings: readonly Finding[];
  readonly losses: readonly Finding[];
}

/** What a comparison needs beside the plan and the container that the engine made of it. */
export interface CompareContext {
  /** The image that the container must have: its defaults belong to the expectation. */
  readonly newImage: ImageInspect;
}

/** A difference between what was planned and what the engine made of it. Paths as `HostConfig.Memory`. */
export interface SpecDifference {
  readonly path: string;
  readonly expected: unknown;
  readonly observed: unknown;
}
