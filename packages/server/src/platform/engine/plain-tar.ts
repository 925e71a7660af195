import { Fault } from '../fault.ts';

/** First bytes of gzip, bzip2, xz and zstd. */
const compressed = ['1f8b', '425a68', 'fd377a585a00', '28b52ffd'];
const longestMark = 6;

/**
 * Passes an uncompressed tar on. An engine unpacks a compressed one with helpers found inside the container's file
 * system (GHSA-x86f-5xw2-fm2r), so a compressed one is refused before its first byte is sent.
 */
export async function* refuseCompressed(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of tar) {
    if (head === undefined) {
      yield Buffer.from(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < longestMark) continue;
    checkHead(head);
    yield head;
    head = undefined;
  }
  if (head !== undefined && head.length > 0) {
    checkHead(head);
    yield head;
  }
}

function checkHead(head: Buffer): void {
  const start = head.subarray(0, longestMark).toString('hex');
  if (compressed.some((mark) => start.startsWith(mark))) {
    throw new Fault('bad_input', 'The archive is compressed. Only a plain tar is written into a container.');
  }
}
