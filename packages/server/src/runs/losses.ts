import type { Finding } from '@evenkeel/contract';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { composeService } from './compose-labels.ts';
import { namespaceOwner } from './spec-api.ts';
import { cleanPath } from './spec-mounts.ts';

/** An entry of `GET /containers/{id}/changes`. */
export interface Change {
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}

/** A file that Compose may have put into the writable layer between create and start. */
export interface InjectedFile {
  readonly path: string;
  /** Known by its place. Otherwise only `wasInjected` of its time can tell it from a file that the program wrote. */
  readonly sure: boolean;
}

/** Made by the engine in every container. */
const engineFiles = new Set([
  '/etc/hosts',
  '/etc/hostname',
  '/etc/resolv.conf',
  '/etc/mtab',
  '/.dockerenv',
  '/dev/console',
]);
const engineFolders = ['/dev', '/proc', '/sys'];
const secretsFolder = '/run/secrets';
const shown = 8;

/**
 * What will be lost with the old container, for people: the changes of its writable layer that nothing copies, and its log.
 * `copied` are paths that the run copies over.
 */
export function losses(
  changes: readonly Change[],
  container: ContainerInspect,
  options: { copied?: readonly string[] } = {},
): Finding[] {
  const copied = new Set((options.copied ?? []).map(cleanPath));
  const lost = ownChanges(changes, container).filter(({ path }) => !copied.has(path));
  return [...(lost.length === 0 ? [] : [writableLayer(lost)]), ...logs(container)];
}

function writableLayer(lost: readonly Change[]): Finding {
  const names = lost.slice(0, shown).map(({ path, kind }) => (kind === 'deleted' ? `${path} (deleted)` : path));
  const more = lost.length > shown ? ` and ${lost.length - shown} more` : '';
  const entries = lost.length === 1 ? '1 change' : `${lost.length} changes`;
  return {
    code: 'writable-layer',
    text: `${entries} in the container's own file system will be lost: ${names.join(', ')}${more}.`,
    remedy: 'Keep what matters on a volume, or take a snapshot first (docker commit).',
  };
}

/** Drivers that keep the log with the container. */
function logs(container: ContainerInspect): Finding[] {
  const driver = (container.HostConfig['LogConfig'] as { Type?: string } | undefined)?.Type ?? '';
  if (!['', 'json-file', 'local'].includes(driver) || container.State.Status === 'created') return [];
  const text = 'The log of the old container is removed with it; the run keeps its last 100 lines.';
  return [{ code: 'logs', text, remedy: null }];
}

/**
 * Changes that the container's own program made: without the engine's files, mount points and what lies below them, and
 * folders that are listed only because of what is in them.
 */
export function ownChanges(changes: readonly Change[], container: ContainerInspect): Change[] {
  const mounts = mountTargets(container);
  const all = changes.map(({ path, kind }) => ({ path: cleanPath(path), kind }));
  const folders = new Set([...all.map(({ path }) => path), ...mounts, ...engineFiles].flatMap(ancestors));
  return all.filter(({ path, kind }) => {
    if (engineFiles.has(path) || isUnder(path, engineFolders) || isUnder(path, mounts)) return false;
    return kind === 'deleted' || !folders.has(path);
  });
}

/**
 * Files that Compose wrote for `secrets:` and `configs:` with `content` or `environment`: they live in the writable layer
 * and have to be copied between create and start (section 7). Under /run/secrets they are sure; a config may stand anywhere.
 */
export function injectedFiles(container: ContainerInspect, changes: readonly Change[]): InjectedFile[] {
  if (composeService(container) === undefined) return [];
  return ownChanges(changes, container)
    .filter(({ kind }) => kind === 'added')
    .map(({ path }) => ({ path, sure: isUnder(path, [secretsFolder]) }));
}

/** Longest time between the create and the end of the copying in Compose. */
const injectionWindow = 60_000;
const second = 1000;

/**
 * True for a time of last change that only something between create and first start can have left. Compose stamps what it
 * copies with the time of the copying, and a tar has whole seconds (rounded): a file that a program wrote has a fraction.
 */
export function wasInjected(container: ContainerInspect, modified: string): boolean {
  if (/\.\d*[1-9]/.test(modified)) return false;
  const at = Date.parse(modified);
  const created = Date.parse(container.Created);
  const started = Date.parse(container.State.StartedAt);
  const neverStarted = !(started > 0);
  const end = Math.min(created + injectionWindow, neverStarted ? Number.POSITIVE_INFINITY : started);
  return at >= created - second && at <= end + second;
}

function mountTargets(container: ContainerInspect): string[] {
  const shared = namespaceOwner(container.HostConfig.IpcMode) === undefined ? [] : ['/dev/shm'];
  const targets = [
    ...container.Mounts.map((mount) => mount.Destination),
    ...Object.keys(container.HostConfig.Tmpfs ?? {}),
    ...shared,
  ];
  return targets.map(cleanPath);
}

function isUnder(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

function ancestors(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
