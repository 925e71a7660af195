/** A run of text with one look. Colours are an index into the palette of 16, or a CSS colour of digits we wrote ourselves. */
export interface Span {
  readonly text: string;
  readonly foreground?: number | string;
  readonly background?: number | string;
  readonly bold?: true;
  readonly dim?: true;
  readonly italic?: true;
  readonly underline?: true;
  readonly strike?: true;
}

type Look = { -readonly [K in keyof Omit<Span, 'text'>]: Span[K] | undefined } & { inverse?: boolean };

// CSI … final | OSC/DCS/APC/PM/SOS … (BEL or ST) | any other two-character sequence.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const sequence = /\u001b\[([0-?]*)([ -/]*)([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|\u001b[ -~]?/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/**
 * Turns one line of terminal output into spans (ECMA-48 SGR: the 16, 256 and true colours, bold, dim, italic, underline,
 * strike, inverse). Every other sequence, OSC 8 links among them, is dropped and its text kept. Never yields markup.
 */
export function parseAnsi(line: string): Span[] {
  const spans: Span[] = [];
  const look: Look = {};
  let position = 0;

  function push(raw: string) {
    const text = raw.replace(controls, '');
    if (text !== '') spans.push(spanOf(text, look));
  }

  for (const match of line.matchAll(sequence)) {
    push(line.slice(position, match.index));
    position = match.index + match[0].length;
    if (match[3] === 'm' && match[2] === '') applySgr(look, match[1] ?? '');
  }
  push(line.slice(position));
  return spans;
}

/** The text alone: for search, download and copying. */
export function stripAnsi(line: string): string {
  return line.replace(sequence, '').replace(controls, '');
}

function spanOf(text: string, look: Look): Span {
  const span: Record<string, unknown> = { text };
  const foreground = look.inverse ? (look.background ?? 0) : look.foreground;
  const background = look.inverse ? (look.foreground ?? 7) : look.background;
  if (foreground !== undefined) span['foreground'] = foreground;
  if (background !== undefined) span['background'] = background;
  for (const name of ['bold', 'dim', 'italic', 'underline', 'strike'] as const) if (look[name]) span[name] = true;
  return span as unknown as Span;
}

const attributes: Record<number, (look: Look) => void> = {
  1: (look) => {
    look.bold = true;
  },
  2: (look) => {
    look.dim = true;
  },
  3: (look) => {
    look.italic = true;
  },
  4: (look) => {
    look.underline = true;
  },
  7: (look) => {
    look.inverse = true;
  },
  9: (look) => {
    look.strike = true;
  },
  22: (look) => {
    look.bold = undefined;
    look.dim = undefined;
  },
  23: (look) => {
    look.italic = undefined;
  },
  24: (look) => {
    look.underline = undefined;
  },
  27: (look) => {
    look.inverse = false;
  },
  29: (look) => {
    look.strike = undefined;
  },
  39: (look) => {
    look.foreground = undefined;
  },
  49: (look) => {
    look.background = undefined;
  },
};

function reset(look: Look) {
  for (const key of Object.keys(look)) delete look[key as keyof Look];
}

function applySgr(look: Look, parameters: string) {
  const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number.parseInt(code, 10)));
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 0) reset(look);
    else if (code >= 30 && code <= 37) look.foreground = code - 30;
    else if (code >= 40 && code <= 47) look.background = code - 40;
    else if (code >= 90 && code <= 97) look.foreground = code - 90 + 8;
    else if (code >= 100 && code <= 107) look.background = code - 100 + 8;
    else if (code === 38 || code === 48) {
      const colour = extended(codes, index + 1);
      if (colour.value !== undefined) look[code === 38 ? 'foreground' : 'background'] = colour.value;
      index += colour.used;
    } else attributes[code]?.(look);
  }
}

function extended(codes: readonly number[], at: number): { value: number | string | undefined; used: number } {
  const byte = (offset: number) => {
    const value = codes[at + offset];
    return value !== undefined && value >= 0 && value <= 255 ? value : undefined;
  };
  if (codes[at] === 5) {
    const index = byte(1);
    return { value: index === undefined ? undefined : indexed(index), used: 2 };
  }
  if (codes[at] === 2) {
    const [red, green, blue] = [byte(1), byte(2), byte(3)];
    const complete = red !== undefined && green !== undefined && blue !== undefined;
    return { value: complete ? `rgb(${red} ${green} ${blue})` : undefined, used: 4 };
  }
  return { value: undefined, used: 1 };
}

function indexed(index: number): number | string {
  if (index < 16) return index;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
}

export interface MarkedSpan extends Span {
  /** This piece is a hit of the search. */
  readonly hit?: true;
}

/** Cuts spans at the hits of `query` (case-insensitive, also across spans) and marks the pieces. */
export function markHits(spans: readonly Span[], query: string): MarkedSpan[] {
  if (query === '') return [...spans];
  const whole = spans.map((span) => span.text).join('');
  const hits = hitsIn(whole, query);
  if (hits.length === 0) return [...spans];
  const marked: MarkedSpan[] = [];
  let start = 0;
  for (const span of spans) {
    const end = start + span.text.length;
    let cursor = start;
    for (const [from, to] of hits) {
      if (to <= cursor || from >= end) continue;
      if (from > cursor) marked.push({ ...span, text: whole.slice(cursor, from) });
      const stop = Math.min(to, end);
      marked.push({ ...span, text: whole.slice(Math.max(from, cursor), stop), hit: true });
      cursor = stop;
    }
    if (cursor < end) marked.push({ ...span, text: whole.slice(cursor, end) });
    start = end;
  }
  return marked;
}

function hitsIn(text: string, query: string): [number, number][] {
  const haystack = text.toLowerCase();
  // A few letters change their length in lower case; then positions would not fit, and nothing is marked.
  if (haystack.length !== text.length) return [];
  const needle = query.toLowerCase();
  const hits: [number, number][] = [];
  for (let at = haystack.indexOf(needle); at !== -1; at = haystack.indexOf(needle, at + needle.length))
    hits.push([at, at + needle.length]);
  return hits;
}
