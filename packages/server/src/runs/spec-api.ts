import { compareVersions } from '../platform/engine/api-version.ts';

/** True when the negotiated API version (`1.41`) is `wanted` or newer. */
export function speaks(apiVersion: string, wanted: string): boolean {
  return compareVersions(apiVersion, wanted) >= 0;
}

/** The name that the engine gives to a container's short id: first 12 digits. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

/** `/web` → `web`. */
export function plainName(name: string): string {
  return name.replace(/^\//, '');
}

/** The id or name behind `container:…`, else undefined. */
export function namespaceOwner(mode: string | undefined): string | undefined {
  return mode?.startsWith('container:') ? mode.slice('container:'.length) : undefined;
}
