import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { isEmptyArchive } from './empty-volume.ts';

async function archive(entries: readonly { name: string; size?: number }[]): Promise<Uint8Array<ArrayBuffer>> {
  const tape = pack();
  tape.entry({ name: 'data/', type: 'directory' });
  for (const { name, size } of entries) {
    if (size === undefined) tape.entry({ name, type: 'directory' });
    else tape.entry({ name }, Buffer.alloc(size));
  }
  tape.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tape) chunks.push(chunk as Buffer);
  return new Uint8Array(Buffer.concat(chunks));
}

const streamOf = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]).stream();

describe('an empty volume', () => {
  test('is one whose archive has only the folder itself', async () => {
    expect(await isEmptyArchive(streamOf(await archive([])))).toBe(true);
  });

  test.each([[{ name: 'data/file', size: 3 }], [{ name: 'data/empty-file', size: 0 }], [{ name: 'data/folder/' }]])(
    'is not one with %j',
    async (entry) => {
      expect(await isEmptyArchive(streamOf(await archive([entry])))).toBe(false);
    },
  );

  test('the rest of a large one is not read', async () => {
    let cancelled = false;
    let sent = 0;
    const header = await archive([{ name: 'data/large', size: 1024 }]);
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(sent === 0 ? header.subarray(0, 1024) : new Uint8Array(512));
        sent += 1;
      },
      cancel() {
        cancelled = true;
      },
    });
    expect(await isEmptyArchive(endless)).toBe(false);
    expect(cancelled).toBe(true);
  });

  test('a stream that breaks off is an error, not an empty volume', async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error('connection lost'));
      },
    });
    await expect(isEmptyArchive(broken)).rejects.toThrow('connection lost');
  });
});
