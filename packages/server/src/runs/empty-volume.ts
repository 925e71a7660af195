import { Readable } from 'node:stream';
import { extract } from 'tar-stream';

/**
 * True when the archive of a folder (`GET /containers/{id}/archive?path=`) has nothing but the folder itself. Reads two
 * headers at most and lets go of the stream then, however large the volume is.
 */
export async function isEmptyArchive(stream: ReadableStream<Uint8Array>): Promise<boolean> {
  const source = Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0]);
  const tar = extract();
  source.on('error', (error) => tar.destroy(error));
  source.pipe(tar);
  let entries = 0;
  try {
    for await (const entry of tar) {
      entries += 1;
      if (entries > 1) return false;
      entry.resume();
    }
    return true;
  } finally {
    source.unpipe(tar);
    source.destroy();
    tar.destroy();
  }
}
