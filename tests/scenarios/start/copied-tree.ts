import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/**
 * Copies what the start script uses, as built as it is here, so that it can be run with a data folder of its own and its
 * sources can be changed. Packages are linked one by one: even an installation in the copy would not reach ours.
 */
export function copyTree(): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'evenkeel-start-')));
  for (const path of ['start', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'packages'])
    cpSync(join(root, path), join(copy, path), {
      recursive: true,
      filter: (source) => basename(source) !== 'node_modules',
    });
  linkPackages('node_modules', copy, ['@evenkeel', '.cache', '.evenkeel-lock', '.vite']);
  for (const name of readdirSync(join(root, 'packages'))) {
    linkPackages(join('packages', name, 'node_modules'), copy, ['.vite']);
    mkdirSync(join(copy, 'node_modules/@evenkeel'), { recursive: true });
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules/@evenkeel', name));
  }
  // What scripts/bootstrap.sh leaves when it has installed the packages of this lock file.
  const lock = createHash('sha256')
    .update(readFileSync(join(copy, 'package-lock.json')))
    .digest('hex');
  writeFileSync(join(copy, 'node_modules/.evenkeel-lock'), `${lock}\n`);
  return copy;
}

function linkPackages(folder: string, copy: string, without: readonly string[]): void {
  if (!existsSync(join(root, folder))) return;
  mkdirSync(join(copy, folder), { recursive: true });
  for (const name of readdirSync(join(root, folder)))
    if (!without.includes(name)) symlinkSync(join(root, folder, name), join(copy, folder, name));
}
