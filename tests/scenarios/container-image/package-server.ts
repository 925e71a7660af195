import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A registry for npm that knows exactly the packages of the lock file and gives them out of npm's own cache. */
export interface PackageServer {
  url: string;
  stop(): Promise<void>;
}

interface LockedPackage {
  name: string;
  version: string;
  /** `sha512-…`, base64. */
  integrity: string;
}

/** Large programs that are optional to their packages and that building the image does not need: they are not found here. */
const unneeded = /^(node-linux-|@biomejs\/cli-|@typescript\/|@oxc-\w+\/binding-)/;

/** Lets `npm ci` run without the internet. Speaks what `npm ci` asks of a registry: the packument and the tarball. */
export async function startPackageServer(root: string): Promise<PackageServer> {
  const packages = readLock(root).filter(({ name }) => !unneeded.test(name));
  const cache = join(npm(root, 'config', 'get', 'cache').trim(), '_cacache');
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/').slice(1);
    const tarball = /^(.+)\/-\/([^/]+)\.tgz$/.exec(path);
    const wanted = packages.filter(({ name }) => name === (tarball?.[1] ?? path));
    const locked = wanted.find(({ version }) => version === tarball?.[2]);
    if (locked !== undefined) {
      response.setHeader('content-type', 'application/octet-stream').end(readTarball(root, cache, locked));
    } else if (tarball === null && wanted.length > 0) {
      const url = `http://${request.headers.host}`;
      response.setHeader('content-type', 'application/json').end(JSON.stringify(packument(url, path, wanted)));
    } else {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}');
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function readLock(root: string): LockedPackage[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { name?: string; version?: string; integrity?: string }>;
  };
  return Object.entries(lock.packages).flatMap(([path, { name, version, integrity }]) =>
    version === undefined || integrity === undefined
      ? []
      : [{ name: name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), version, integrity }],
  );
}

function packument(url: string, name: string, packages: readonly LockedPackage[]): object {
  const versions = packages.map(({ version, integrity }) => [
    version,
    { name, version, dist: { tarball: `${url}/${name}/-/${version}.tgz`, integrity } },
  ]);
  return { name, 'dist-tags': { latest: packages[0]?.version }, versions: Object.fromEntries(versions) };
}

/** The content that installing the same lock file on this machine has left in the cache, by its digest. */
function readTarball(root: string, cache: string, { name, version, integrity }: LockedPackage): Buffer {
  const hex = Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex');
  const file = join(cache, 'content-v2', 'sha512', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
  if (!existsSync(file)) npm(root, 'cache', 'add', `${name}@${version}`);
  return readFileSync(file);
}

function npm(root: string, ...parameters: string[]): string {
  return execFileSync('npm', parameters, { cwd: root, encoding: 'utf8' });
}
