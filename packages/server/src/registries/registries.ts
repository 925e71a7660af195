import type { Registry, RegistryBody, RegistryPatch } from '@evenkeel/contract';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import type { RegistryAuth } from '../platform/engine/engine.ts';
import type { RegistryClient } from '../platform/registry/registry-client.ts';

/** Stored registry entries, the docker configuration file, and the client that uses both. */
export interface Registries {
  readonly client: RegistryClient;
  /** Credentials for an engine pull from this registry host; undefined for anonymous. */
  pullAuth(registryHost: string): Promise<RegistryAuth | undefined>;
}

/** The entries with the ways to change them. Writes throw `conflict`, `not_found`, `locked`, `read_only`, `disk_full`. */
export interface StoredRegistries extends Registries {
  /** The entries with their present health, and the hosts that were asked without one (`stored` false, which cannot be changed). */
  current(): LiveCollection<Registry>;
  add(body: RegistryBody): Registry;
  /** An empty user name or password removes it; an empty certificate likewise. A new token host needs the password again. */
  change(id: string, patch: RegistryPatch): Registry;
  remove(id: string): void;
  test(id: string, signal: AbortSignal): Promise<{ ok: boolean; detail: string }>;
  close(): Promise<void>;
}
