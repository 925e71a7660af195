import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { requireProgram } from './programs.ts';
import { scripts } from './scripts.ts';

/** One file, directory or link of a layer. */
export interface LayerEntry {
  path: string;
  content?: string | Buffer;
  /** Target of a symbolic link. */
  link?: string;
  directory?: boolean;
  mode?: number;
}

/** A layer as the registry stores it and as `docker load` wants it. */
export interface Layer {
  tar: Buffer;
  gzipped: Buffer;
  /** Digest of the tar, for the image's rootfs. */
  diffId: string;
  /** Digest of the gzipped tar, for the manifest. */
  digest: string;
}

/** `sha256:` and the hex digest of the bytes. */
export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Packs entries into a layer. Equal entries give an equal digest: no time or owner of this machine gets in. */
export async function createLayer(entries: readonly LayerEntry[]): Promise<Layer> {
  const tape = pack();
  for (const entry of entries) {
    const header = { name: entry.path, mtime: new Date(0), uid: 0, gid: 0 };
    if (entry.link !== undefined) tape.entry({ ...header, type: 'symlink', linkname: entry.link });
    else if (entry.directory) tape.entry({ ...header, type: 'directory', mode: entry.mode ?? 0o755 });
    else tape.entry({ ...header, mode: entry.mode ?? 0o644 }, Buffer.from(entry.content ?? ''));
  }
  tape.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tape) chunks.push(chunk as Buffer);
  const tar = Buffer.concat(chunks);
  const gzipped = gzipSync(tar, { level: 1 });
  return { tar, gzipped, diffId: digestOf(tar), digest: digestOf(gzipped) };
}

const applets =
  'awk basename cat chgrp chmod chown cp cut date dd df dirname dmesg du echo env expr false find grep head hostname httpd id ifconfig ip kill ln ls md5sum mkdir mkfifo mktemp mount mv nc netstat nslookup ping printf ps pwd readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat stty su tail tar tee test timeout top touch tr true tty umount uname uniq unlink usleep vi wc wget which whoami xargs yes';

let base: Promise<Layer> | undefined;

/** The layer that all our images share: static busybox, its applets, users, and the scripts of `scripts.ts`. */
export function baseLayer(): Promise<Layer> {
  base ??= createLayer([
    ...['bin', 'etc', 'root', 'run', 'var'].map((path) => ({ path, directory: true })),
    { path: 'tmp', directory: true, mode: 0o1777 },
    { path: 'www', directory: true, mode: 0o1777 },
    { path: 'run/testbed', directory: true, mode: 0o1777 },
    { path: 'bin/busybox', content: readFileSync(requireProgram('busybox')), mode: 0o755 },
    ...applets.split(' ').map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
    {
      path: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/www:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n',
    },
    { path: 'etc/group', content: 'root:x:0:\nwww-data:x:33:\naudio:x:29:\napp:x:1000:\n' },
    ...Object.entries(scripts).map(([name, content]) => ({ path: `bin/${name}`, content, mode: 0o755 })),
  ]);
  return base;
}
