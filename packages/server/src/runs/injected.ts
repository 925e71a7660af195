import type { Finding } from '@evenkeel/contract';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { type Change, injectedFiles, wasInjected } from './losses.ts';
import { finding, nameOf } from './run.ts';

/** One question to the engine per file: a program that writes into its own file system may have added any number. */
export const mostChecked = 200;

export interface Injected {
  /** To be copied into the replacement. */
  readonly paths: readonly string[];
  readonly warnings: readonly Finding[];
}

/**
 * The files that Compose put into the writable layer. Those near the root are looked at first: there Compose puts configs, and deep
 * down programs put what they make. What is beyond the bound is said.
 */
export async function findInjected(
  container: ContainerInspect,
  changes: readonly Change[],
  stat: (path: string) => Promise<{ modified: string } | undefined>,
): Promise<Injected> {
  const candidates = injectedFiles(container, changes);
  const paths = candidates.filter(({ sure }) => sure).map(({ path }) => path);
  const depth = (path: string) => path.split('/').length;
  const unsure = candidates.filter(({ sure }) => !sure).map(({ path }) => path);
  for (const path of unsure.toSorted((one, other) => depth(one) - depth(other)).slice(0, mostChecked)) {
    const file = await stat(path);
    if (file !== undefined && wasInjected(container, file.modified)) paths.push(path);
  }
  const unchecked = unsure.length - mostChecked;
  if (unchecked <= 0) return { paths, warnings: [] };
  const warning = finding(
    'injected-unchecked',
    `${nameOf(container)} has written so much into its own file system that ${unchecked} of ${unsure.length} files were not looked at: one that Compose put there for configs or secrets would be missing afterwards.`,
    'Keep what the program writes on a volume, or check the configs and secrets after the update.',
  );
  return { paths, warnings: [warning] };
}
