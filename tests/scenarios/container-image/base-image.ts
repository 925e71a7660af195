import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { requireProgram, type TestEngine } from '@evenkeel/testbed';

/**
 * Makes what `node:24-bookworm-slim` is to the Dockerfile out of this machine's own parts, under the name `reference`:
 * node with its libraries, npm, and busybox for the shell. `variables` become the image's environment.
 */
export async function importBaseImage(
  engine: TestEngine,
  reference: string,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-base-'));
  try {
    const root = join(directory, 'root');
    fillRoot(root);
    const archive = join(directory, 'root.tar');
    execFileSync('tar', ['--numeric-owner', '--owner=0', '--group=0', '-C', root, '-cf', archive, '.']);
    const changes = Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', ...variables }).flatMap(([name, value]) => [
      '--change',
      `ENV ${name}=${value}`,
    ]);
    await engine.docker('import', ...changes, archive, reference);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function fillRoot(root: string): void {
  for (const path of ['bin', 'usr/bin', 'usr/local/bin', 'usr/local/lib/node_modules', 'etc/ssl/certs', 'root'])
    mkdirSync(join(root, path), { recursive: true });
  mkdirSync(join(root, 'tmp'), { mode: 0o1777 });
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  if (existsSync(certificates)) copyFileSync(certificates, join(root, certificates));

  const node = realpathSync(process.execPath);
  copyFileSync(node, join(root, 'usr/local/bin/node'));
  for (const library of librariesOf(node)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }

  cpSync(npmDirectory(), join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));

  const busybox = requireProgram('busybox');
  copyFileSync(busybox, join(root, 'bin/busybox'));
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  for (const applet of applets) {
    if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  }
  // Where scripts that begin with `#!/usr/bin/env node` look for it.
  symlinkSync('/bin/busybox', join(root, 'usr/bin/env'));
}

/** Parts of the C library that packages with native code name and node itself does not. */
const restOfTheCLibrary = ['librt.so.1', 'libresolv.so.2', 'libutil.so.1', 'libnss_files.so.2', 'libnss_dns.so.2'];

/** Absolute paths of the libraries of a program, of its loader, and of the rest of the C library. */
function librariesOf(program: string): string[] {
  const listing = execFileSync('ldd', [program], { encoding: 'utf8' });
  const named = [...listing.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path]) => path ?? []);
  const directory = dirname(named.find((path) => path.includes('/libc.so.')) ?? '');
  const rest = restOfTheCLibrary.map((name) => join(directory, name));
  return [...named, ...rest.filter((path) => existsSync(path))];
}

function npmDirectory(): string {
  const program = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  const directory = dirname(dirname(realpathSync(program)));
  if (!existsSync(join(directory, 'package.json'))) throw new Error(`${program} does not lead to the package of npm.`);
  return directory;
}
