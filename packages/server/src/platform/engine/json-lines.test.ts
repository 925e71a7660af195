import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJsonLines } from './json-lines.ts';

async function* asStream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

async function read(chunks: readonly Buffer[]): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of readJsonLines(asStream(chunks))) values.push(value);
  return values;
}

/** Characters of one to four bytes, and those that JSON escapes. */
const character = fc.constantFrom('a', '\u0001', '"', '\\', '\n', 'é', '€', '🐳');

test('JSON lines read the same wherever they are cut, with either line end and without the last one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ text: fc.string({ unit: character, maxLength: 30 }) }), { maxLength: 6 }),
      fc.nat(40),
      fc.constantFrom('\n', '\r\n', '\n\n'),
      fc.boolean(),
      async (values, size, lineEnd, lastEnd) => {
        const texts = values.map((value) => JSON.stringify(value));
        const bytes = Buffer.from(texts.join(lineEnd) + (lastEnd ? lineEnd : ''));
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size + 1) chunks.push(bytes.subarray(at, at + size + 1));
        expect(await read(chunks)).toEqual(texts.map((text) => JSON.parse(text)));
      },
    ),
  );
});

test('what is not JSON is an error', async () => {
  await expect(read([Buffer.from('{"a":1}\n<html>\n')])).rejects.toThrow(SyntaxError);
});
