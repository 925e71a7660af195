import type { LogLine } from '@evenkeel/contract';
import { expect, test } from 'vitest';
import { countHits, createLogBuffer, filterLog } from './log-buffer.ts';

const line = (text: string, level: LogLine['level'] = null): LogLine => ({
  at: `2026-01-01T00:00:00.${text.padStart(9, '0')}Z`,
  stream: 'stdout',
  level,
  text,
});

function bench(limit?: number) {
  let due: (() => void)[] = [];
  const buffer = createLogBuffer((flush) => due.push(flush), limit);
  const frame = () => {
    const flushes = due;
    due = [];
    for (const flush of flushes) flush();
    return flushes.length;
  };
  return { buffer, frame, texts: () => buffer.getSnapshot().entries.map(({ text }) => text) };
}

test('many lines within a frame are one notification', () => {
  const { buffer, frame, texts } = bench();
  let heard = 0;
  buffer.subscribe(() => {
    heard += 1;
  });
  for (let n = 0; n < 1000; n += 1) buffer.append([line(`${n}`)]);
  expect(texts()).toEqual([]);
  expect(frame()).toBe(1);
  expect([heard, texts().length, buffer.getSnapshot().arrived]).toEqual([1, 1000, 1000]);
});

test('beyond the limit the oldest lines go', () => {
  const { buffer, frame, texts } = bench(3);
  buffer.append(['1', '2', '3', '4', '5'].map((text) => line(text)));
  frame();
  expect(texts()).toEqual(['3', '4', '5']);
});

test('older lines go before the others and numbers stay in order', () => {
  const { buffer, frame, texts } = bench();
  buffer.append([line('5'), line('6')]);
  frame();
  expect(buffer.oldest()).toBe(line('5').at);
  buffer.prepend([line('3'), line('4')]);
  buffer.prepend([line('1'), line('2')]);
  frame();
  expect(texts()).toEqual(['1', '2', '3', '4', '5', '6']);
  const numbers = buffer.getSnapshot().entries.map(({ number }) => number);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(numbers).size).toBe(6);
  expect(buffer.oldest()).toBe(line('1').at);
});

test('levels are thresholds; a line without one counts as info; remarks always stay', () => {
  const { buffer, frame } = bench();
  buffer.append([line('1', 'debug'), line('2'), line('3', 'error')]);
  buffer.remark('replaced');
  frame();
  const show = (level: string | null, q = '', onlyHits = false) =>
    filterLog(buffer.getSnapshot().entries, { q, onlyHits, level }).map(({ text }) => text);
  expect(show(null)).toEqual(['1', '2', '3', 'replaced']);
  expect(show('info')).toEqual(['2', '3', 'replaced']);
  expect(show('error')).toEqual(['3', 'replaced']);
  expect(show(null, '3', true)).toEqual(['3', 'replaced']);
  expect(show(null, '3', false)).toEqual(['1', '2', '3', 'replaced']);
});

test('the search looks at the text without its colours', () => {
  const { buffer, frame } = bench();
  buffer.append([line('con\u001b[31mnect\u001b[0mion')]);
  frame();
  expect(countHits(buffer.getSnapshot().entries, 'CONNECTION')).toBe(1);
});
