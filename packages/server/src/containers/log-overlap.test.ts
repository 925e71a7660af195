import type { LogLine } from '@evenkeel/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOverlap } from './log-overlap.ts';
import { LogRing } from './log-ring.ts';

function lineAt(nanoseconds: number, text: string, stream: LogLine['stream'] = 'stdout'): LogLine {
  const seconds = String(Math.floor(nanoseconds / 1e9)).padStart(2, '0');
  return {
    at: `2026-11-25T10:00:${seconds}.${String(nanoseconds % 1e9).padStart(9, '0')}Z`,
    stream,
    level: null,
    text,
  };
}

/** Output as an engine writes it: times that mostly rise, sometimes repeat, and are now and then out of order by a little. */
const output = fc
  .array(fc.record({ step: fc.constantFrom(0, 1, 50_000_000), late: fc.boolean(), stderr: fc.boolean() }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((parts) => {
    let now = 1_000_000_000;
    return parts.map(({ step, late, stderr }, index) => {
      now += step;
      return lineAt(late ? now - 700_000 : now, `line ${index}`, stderr ? 'stderr' : 'stdout');
    });
  });

describe('a reading and a stream of the same output', () => {
  test('are joined without a line twice or lost, wherever the one ends and the other begins', () => {
    fc.assert(
      fc.property(output, fc.nat(), fc.nat(), fc.nat(), (lines, one, other, third) => {
        const end = 1 + (one % lines.length);
        const beginning = other % end;
        const streamFrom = beginning === 0 ? third % (end + 1) : 1 + (third % end);
        const read = lines.slice(beginning, end);
        const isNew = createOverlap(read, lines[streamFrom - 1]);
        const told = lines.slice(streamFrom).filter((line) => isNew(line));
        expect([...read, ...told]).toEqual(lines.slice(beginning));
      }),
    );
  });

  test('repeat the same text of the same nanosecond as often as it was written', () => {
    const lines = ['a', 'a', 'b', 'a'].map((text) => lineAt(5, text));
    const isNew = createOverlap(lines.slice(0, 2), undefined);
    expect(lines.filter((line) => isNew(line)).map(({ text }) => text)).toEqual(['b', 'a']);
  });

  test('of which the reading is empty are the stream alone', () => {
    const lines = [lineAt(1, 'a'), lineAt(2, 'b')];
    const isNew = createOverlap([], lines[0]);
    expect(lines.slice(1).filter((line) => isNew(line))).toEqual(lines.slice(1));
  });

  test('of which the stream began after the reading lose nothing', () => {
    const lines = [lineAt(1, 'a'), lineAt(2, 'b'), lineAt(3, 'c')];
    const isNew = createOverlap(lines.slice(0, 2), undefined);
    expect(lines.slice(2).filter((line) => isNew(line))).toEqual(lines.slice(2));
  });

  test('that never meet go on with the stream once it is clearly past the reading', () => {
    const lines = Array.from({ length: 10 }, (_, index) => lineAt(index * 1e9, `line ${index}`));
    const isNew = createOverlap([lineAt(4e9, 'gone with its file')], lines[0]);
    expect(lines.slice(1).filter((line) => isNew(line))).toEqual(lines.slice(6));
  });
});

describe('the newest lines in memory', () => {
  const line = (text: string) => lineAt(0, text);
  const texts = (lines: readonly LogLine[]) => lines.map(({ text }) => text);

  test('are as many as the limit, whatever came', () => {
    const ring = new LogRing({ lines: 3, characters: 1000 });
    const all = Array.from({ length: 40 }, (_, index) => String(index));
    ring.push([line('0'), line('1')]);
    expect([ring.length, ring.whole, texts(ring.last())]).toEqual([2, true, ['0', '1']]);
    for (const text of all.slice(2)) ring.push([line(text)]);
    expect([ring.length, ring.whole]).toEqual([3, false]);
    expect(texts(ring.last())).toEqual(['37', '38', '39']);
    expect(texts(ring.last(2))).toEqual(['38', '39']);
    expect(texts(ring.last(0))).toEqual([]);
    expect(texts(ring.last(10))).toEqual(['37', '38', '39']);
  });

  test('are fewer where they are long', () => {
    const ring = new LogRing({ lines: 100, characters: 10 });
    ring.push(['aaaa', 'bbbb', 'cccc', 'd'].map(line));
    expect(texts(ring.last())).toEqual(['bbbb', 'cccc', 'd'].slice(-ring.length));
    expect(ring.last().reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(10);
    ring.push([line('e'.repeat(11))]);
    expect(ring.length).toBe(0);
    ring.push([line('f')]);
    expect(texts(ring.last())).toEqual(['f']);
  });
});
