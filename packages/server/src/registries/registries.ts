import type { RegistryAuth } from '../platform/engine/engine.ts';
import type { RegistryClient } from '../platform/registry/registry-client.ts';

/** Stored registry entries, the docker configuration file, and the client that uses both. */
export interface Registries {
  readonly client: RegistryClient;
  /** Credentials for an engine pull from this registry host; undefined for anonymous. */
  pullAuth(registryHost: string): RegistryAuth | undefined;
}
