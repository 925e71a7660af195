import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { extract, type Header, pack } from 'tar-stream';
import { type Engine, EngineError } from '../platform/engine/engine.ts';

/** What Compose injects is a handful of small files; anything larger is not that. */
const largest = 4 * 1024 * 1024;

/**
 * Copies one file of the writable layer from a container into another, with owner, group, mode and time. Missing parent
 * folders are created. A file that is gone by now is left out.
 */
export async function copyFile(engine: Engine, from: string, to: string, path: string): Promise<void> {
  const entries = await readArchive(engine, from, path);
  if (entries === undefined) return;
  const folder = posix.dirname(path);
  try {
    await engine.containers.putArchive(to, folder, await packed(entries, ''));
  } catch (error) {
    if (!(error instanceof EngineError && error.status === 404)) throw error;
    const parents = folder.split('/').slice(1);
    const folders = parents.map((_, index) => `${parents.slice(0, index + 1).join('/')}/`);
    const made = folders.map((name): Entry => ({ header: { name, type: 'directory', mode: 0o755 }, content: nothing }));
    await engine.containers.putArchive(
      to,
      '/',
      await packed([...made, ...entries], `${folder.slice(1)}/`, made.length),
    );
  }
}

interface Entry {
  readonly header: Pick<Header, 'name'> & Partial<Header>;
  readonly content: Buffer;
}

const nothing = Buffer.alloc(0);

async function readArchive(engine: Engine, container: string, path: string): Promise<Entry[] | undefined> {
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
    }
    return entries;
  } finally {
    source.unpipe(tar);
    source.destroy();
    tar.destroy();
  }
}

async function packed(entries: readonly Entry[], prefix: string, unprefixed = 0): Promise<Uint8Array> {
  const tape = pack();
  for (const [index, { header, content }] of entries.entries()) {
    const name = index < unprefixed ? header.name : `${prefix}${header.name}`;
    const { size: _, ...rest } = header;
    tape.entry({ ...rest, name }, content);
  }
  tape.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tape) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
