import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogChunk } from './engine.ts';
import { longestLine } from './log-lines.ts';
import { readLog, toEngineTime } from './logs.ts';

const at = '2026-11-25T10:00:00.123456789Z';

/** A message of the engine as it travels: the 8-byte header, the time stamp, the text. */
function frame(stream: 'stdout' | 'stderr', text: string | Buffer, time = at): Buffer {
  const payload = Buffer.concat([Buffer.from(`${time} `), Buffer.from(text)]);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream === 'stdout' ? 1 : 2, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** The bytes cut at the positions, as a network may cut them. */
function cutAt(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const ends = [...new Set(positions.map((position) => position % (bytes.length + 1)))].sort((a, b) => a - b);
  const starts = [0, ...ends];
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
}

async function* asStream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

async function read(chunks: readonly Buffer[], tty = false): Promise<LogChunk[]> {
  const lines: LogChunk[] = [];
  for await (const line of readLog(asStream(chunks), tty)) lines.push(line);
  return lines;
}

/** Characters of one to four bytes, and the parts that a time stamp or a header is made of. */
const character = fc.constantFrom('a', ' ', 'Z', '2', '-', '\u0000', '\u0001', 'é', '€', '🐳');
const lineText = fc.string({ unit: character, maxLength: 60 });

describe('a multiplexed log', () => {
  test('reads the same wherever its bytes are cut', async () => {
    const message = fc.record({ stream: fc.constantFrom('stdout' as const, 'stderr' as const), text: lineText });
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.nat(4000), { maxLength: 12 }),
        async (messages, cuts) => {
          const bytes = Buffer.concat(messages.map(({ stream, text }) => frame(stream, `${text}\n`)));
          expect(await read(cutAt(bytes, cuts))).toEqual(messages.map(({ stream, text }) => ({ stream, at, text })));
        },
      ),
    );
  });

  test('reads the same one byte at a time, also within a character of four bytes', async () => {
    const bytes = Buffer.concat([frame('stdout', 'größer 🐳\r\n'), frame('stderr', 'second\n')]);
    const single = [...bytes].map((byte) => Buffer.from([byte]));
    expect(await read(single)).toEqual([
      { stream: 'stdout', at, text: 'größer 🐳' },
      { stream: 'stderr', at, text: 'second' },
    ]);
  });

  test('joins a line that the engine sent in several messages, each with a time stamp', async () => {
    const bytes = [frame('stdout', 'a'.repeat(16_384)), frame('stderr', 'between\n'), frame('stdout', 'b\n')];
    expect(await read(bytes)).toEqual([
      { stream: 'stderr', at, text: 'between' },
      { stream: 'stdout', at, text: `${'a'.repeat(16_384)}b` },
    ]);
  });

  test('gives the line that the end left without a line end', async () => {
    expect(await read([frame('stdout', 'done\nprompt> ')])).toEqual([
      { stream: 'stdout', at, text: 'done' },
      { stream: 'stdout', at, text: 'prompt> ' },
    ]);
  });

  test('cuts lines over 64 KiB between two characters and loses none', async () => {
    const text = '🐳'.repeat(40_000);
    const lines = await read([frame('stdout', `x${text}\n`)]);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.every((line) => Buffer.byteLength(line.text) <= longestLine)).toBe(true);
    expect(lines.map((line) => line.text).join('')).toBe(`x${text}`);
  });

  test('keeps an empty line', async () => {
    expect(await read([frame('stdout', '\n')])).toEqual([{ stream: 'stdout', at, text: '' }]);
  });

  test('ends with what the engine complains about in it', async () => {
    const complaint = Buffer.from('error from daemon in stream: log file is gone\n');
    const header = Buffer.from([3, 0, 0, 0, 0, 0, 0, complaint.length]);
    await expect(read([frame('stdout', 'a\n'), header, complaint])).rejects.toThrow('log file is gone');
  });

  test('says so when the stream is not multiplexed', async () => {
    await expect(read([Buffer.from(`${at} plain text\n`)])).rejects.toThrow('not multiplexed');
  });
});

describe('the log of a TTY', () => {
  test('reads the same wherever its bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(lineText, { maxLength: 8 }),
        fc.array(fc.nat(4000), { maxLength: 12 }),
        async (texts, cuts) => {
          const bytes = Buffer.from(texts.map((text) => `${at} ${text}\r\n`).join(''));
          expect(await read(cutAt(bytes, cuts), true)).toEqual(texts.map((text) => ({ stream: 'stdout', at, text })));
        },
      ),
    );
  });

  test('a long line loses the time stamps that the engine puts into its middle', async () => {
    const bytes = Buffer.from(`${at} ${'a'.repeat(16_384)}${at} ${'b'.repeat(10)}\r\n`);
    expect(await read([bytes], true)).toEqual([
      { stream: 'stdout', at, text: `${'a'.repeat(16_384)}${'b'.repeat(10)}` },
    ]);
  });
});

test('times are given to the engine in seconds without losing a nanosecond', () => {
  expect(toEngineTime('2026-11-25T10:00:00.123456789Z')).toBe('1795600800.123456789');
  expect(toEngineTime('2026-11-25T11:00:00.5+01:00')).toBe('1795600800.500000000');
  expect(toEngineTime('2026-11-25T10:00:00Z')).toBe('1795600800');
  expect(toEngineTime('1795600800.25')).toBe('1795600800.25');
});
