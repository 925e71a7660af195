import type { LogLine } from '@evenkeel/contract';

type Level = NonNullable<LogLine['level']>;

const words: Readonly<Record<string, Level>> = {
  trace: 'trace',
  trc: 'trace',
  debug: 'debug',
  dbg: 'debug',
  info: 'info',
  inf: 'info',
  information: 'info',
  notice: 'info',
  warn: 'warn',
  warning: 'warn',
  wrn: 'warn',
  error: 'error',
  err: 'error',
  severe: 'error',
  fatal: 'fatal',
  critical: 'fatal',
  crit: 'fatal',
  panic: 'fatal',
  emergency: 'fatal',
  alert: 'fatal',
};
/** Pino and Bunyan write numbers. */
const numbers: readonly [number, Level][] = [
  [60, 'fatal'],
  [50, 'error'],
  [40, 'warn'],
  [30, 'info'],
  [20, 'debug'],
  [10, 'trace'],
];
const key = /(?:^|[\s{,])"?(?:level|severity|lvl|loglevel|log\.level)"?\s*[=:]\s*"?([a-z]+|\d{2})\b/i;
const bracketed = /^.{0,60}?[[(<|]\s*([a-z]{3,11})\s*[\])>|]/i;
const leading = /^[\d\-T:.,+Z/\s]{0,60}([A-Z]{3,11})\b/;
const looked = 400;
const ansi = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Our guess at the level of a line, from its beginning: JSON and logfmt keys, `[WARN]`, `ERROR …`. Null where there is no sign. */
export function guessLevel(text: string): LogLine['level'] {
  const start = text.slice(0, looked).replaceAll(ansi, '');
  const keyed = key.exec(start)?.[1];
  if (keyed !== undefined) return levelOf(keyed);
  return levelOf(bracketed.exec(start)?.[1]) ?? levelOf(leading.exec(start)?.[1]);
}

function levelOf(word: string | undefined): LogLine['level'] {
  if (word === undefined) return null;
  const number = Number(word);
  if (Number.isInteger(number)) return numbers.find(([least]) => number >= least)?.[1] ?? null;
  return words[word.toLowerCase()] ?? null;
}
