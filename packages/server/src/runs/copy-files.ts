import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { extract, type Header, pack } from 'tar-stream';
import type { Engine } from '../platform/engine/engine.ts';

/** What Compose injects is a handful of small files; anything larger is not that. */
const largest = 4 * 1024 * 1024;

/**
 * Copies one file of the writable layer from a container into another, with owner, group, mode and time. Folders that are missing there
 * are made as they are in the first one; those that are there stay as they are. A file that is gone by now is left out.
 */
export async function copyFile(engine: Engine, from: string, to: string, path: string): Promise<void> {
  const [file] = (await readArchive(engine, from, path)) ?? [];
  if (file === undefined) return;
  const missing = await missingFolders(engine, to, path);
  const base = posix.dirname(missing[0] ?? path);
  const name = (absolute: string) => posix.relative(base, absolute);
  const entries: Entry[] = [];
  for (const folder of missing)
    entries.push({
      header: { ...(await folderHeader(engine, from, folder)), name: `${name(folder)}/` },
      content: nothing,
    });
  entries.push({ header: { ...file.header, name: name(path) }, content: file.content });
  await engine.containers.putArchive(to, base, await packed(entries));
}

/** The folders above the path that the container does not have, outermost first: the engine gives those of an archive new rights. */
async function missingFolders(engine: Engine, container: string, path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let folder = posix.dirname(path); folder !== '/'; folder = posix.dirname(folder)) {
    if ((await engine.containers.statPath(container, folder)) !== undefined) break;
    missing.unshift(folder);
  }
  return missing;
}

interface Entry {
  readonly header: Pick<Header, 'name'> & Partial<Header>;
  readonly content: Buffer;
}

const nothing = Buffer.alloc(0);

/** Owner, rights and time of a folder; plain ones where a link stands in its place. */
async function folderHeader(engine: Engine, container: string, path: string): Promise<Partial<Header>> {
  const [folder] = (await readArchive(engine, container, path, 1)) ?? [];
  return folder?.header.type === 'directory' ? folder.header : { type: 'directory', mode: 0o755 };
}

/** The first `most` entries of what is at the path; undefined when nothing is there. */
async function readArchive(engine: Engine, container: string, path: string, most = Number.POSITIVE_INFINITY) {
  const stream = await engine.containers.getArchive(container, path);
  if (stream === undefined) return undefined;
  const source = Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0]);
  const tar = extract();
  source.on('error', (error) => tar.destroy(error));
  source.pipe(tar);
  const entries: Entry[] = [];
  try {
    for await (const entry of tar) {
      if ((entry.header.size ?? 0) > largest)
        throw new Error(`${path} is too large to be a file that Compose injected.`);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      entries.push({ header: entry.header, content: Buffer.concat(chunks) });
      if (entries.length >= most) break;
    }
    return entries;
  } finally {
    source.unpipe(tar);
    source.destroy();
    tar.destroy();
  }
}

async function packed(entries: readonly Entry[]): Promise<Uint8Array> {
  const tape = pack();
  for (const { header, content } of entries) {
    const { size: _, ...rest } = header;
    tape.entry(rest, content);
  }
  tape.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tape) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
