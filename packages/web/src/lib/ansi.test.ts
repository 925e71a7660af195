import fc from 'fast-check';
import { expect, test } from 'vitest';
import { markHits, parseAnsi, stripAnsi } from './ansi.ts';

const esc = '\u001b';

test('plain text is one span', () => {
  expect(parseAnsi('hello')).toEqual([{ text: 'hello' }]);
});

test('the sixteen colours, attributes and reset', () => {
  expect(parseAnsi(`${esc}[1;31mred${esc}[0m plain ${esc}[94mblue${esc}[39m`)).toEqual([
    { text: 'red', bold: true, foreground: 1 },
    { text: ' plain ' },
    { text: 'blue', foreground: 12 },
  ]);
});

test('256 and true colours, in both spellings', () => {
  expect(parseAnsi(`${esc}[38;5;196ma${esc}[48;2;1;2;3mb${esc}[m${esc}[38:5:244mc`)).toEqual([
    { text: 'a', foreground: 'rgb(255 0 0)' },
    { text: 'b', foreground: 'rgb(255 0 0)', background: 'rgb(1 2 3)' },
    { text: 'c', foreground: 'rgb(128 128 128)' },
  ]);
});

test('inverse swaps the colours', () => {
  expect(parseAnsi(`${esc}[32;7mx`)).toEqual([{ text: 'x', foreground: 0, background: 2 }]);
});

test('an OSC 8 link leaves only its text', () => {
  expect(parseAnsi(`${esc}]8;;javascript:alert(1)${esc}\\click${esc}]8;;\u0007 after`)).toEqual([
    { text: 'click' },
    { text: ' after' },
  ]);
});

test('cursor movements, titles and control characters are dropped', () => {
  expect(stripAnsi(`${esc}[2K${esc}[1Gdone\r\u0000\u0007${esc}]0;title\u0007!`)).toBe('done!');
});

test('colours out of range are ignored', () => {
  expect(parseAnsi(`${esc}[38;2;999;0;0mx${esc}[38;5;300my`)).toEqual([{ text: 'x' }, { text: 'y' }]);
});

test('markup stays text', () => {
  expect(parseAnsi('<img src=x onerror=alert(1)>')).toEqual([{ text: '<img src=x onerror=alert(1)>' }]);
});

test('whatever comes, the spans hold exactly the stripped text and no control character', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(`${esc}[`, `${esc}]8;;`, '31m', '38;5;', '\u0007', esc),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const line = pieces.join('');
      const text = parseAnsi(line)
        .map((span) => span.text)
        .join('');
      expect(text).toBe(stripAnsi(line));
      expect(text.includes(esc)).toBe(false);
    }),
  );
});

test('a hit is marked across spans, in any case', () => {
  const spans = parseAnsi(`conn${esc}[31mECTion refused`);
  expect(markHits(spans, 'connection')).toEqual([
    { text: 'conn', hit: true },
    { text: 'ECTion', foreground: 1, hit: true },
    { text: ' refused', foreground: 1 },
  ]);
});

test('marking keeps the text whole', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string({ minLength: 1, maxLength: 3 }), (texts, query) => {
      const spans = texts.map((text) => ({ text }));
      expect(
        markHits(spans, query)
          .map((span) => span.text)
          .join(''),
      ).toBe(texts.join(''));
    }),
  );
});
