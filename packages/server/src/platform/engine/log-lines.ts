import type { LogChunk } from './engine.ts';

/** Lines longer than this many bytes are cut into several. */
export const longestLine = 64 * 1024;
const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
/** `2006-01-02T15:04:05.000000000+07:00` */
const longestStamp = 36;
/** The engine cuts longer output into messages of this size and stamps each. */
const messageSize = 16 * 1024;

export interface LineAssembler {
  /** `first`: the bytes begin a message of the engine, with its time stamp. */
  push(bytes: Buffer, first: boolean): LogChunk[];
  /** The line that the end of the stream left without a line end. */
  end(): LogChunk[];
}

/**
 * Puts the lines of one output stream together from bytes that begin with the engine's time stamps (`timestamps=1`).
 * Multiplexed, each message has a stamp, also one in the middle of a long line; raw (TTY), each line has one.
 */
export function createLineAssembler(stream: LogChunk['stream'], raw: boolean): LineAssembler {
  let at = '1970-01-01T00:00:00.000000000Z';
  /** Bytes of a stamp that is not complete yet; undefined when none is expected. */
  let stampBytes: Buffer | undefined = raw ? Buffer.alloc(0) : undefined;
  let parts: Buffer[] = [];
  let size = 0;

  function append(bytes: Buffer, lines: LogChunk[]): void {
    let rest = bytes;
    while (size + rest.length > longestLine) {
      const head = rest.subarray(0, longestLine - size);
      const whole = Buffer.concat([...parts, head]);
      const cut = characterBoundary(whole);
      lines.push(line(whole.subarray(0, cut)));
      parts = cut < whole.length ? [whole.subarray(cut)] : [];
      size = whole.length - cut;
      rest = rest.subarray(head.length);
    }
    if (rest.length > 0) parts.push(rest);
    size += rest.length;
  }

  function line(bytes: Buffer): LogChunk {
    const length = bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length;
    let text = bytes.toString('utf8', 0, length);
    // A TTY's long line carries the stamp of each message in its middle, all the same to the nanosecond.
    if (raw && length > messageSize) text = text.replaceAll(`${at} `, '');
    return { stream, at, text };
  }

  function finish(lines: LogChunk[]): void {
    lines.push(line(Buffer.concat(parts)));
    parts = [];
    size = 0;
  }

  /** Takes the stamp off; returns what follows it, undefined while it is incomplete. */
  function takeStamp(bytes: Buffer): Buffer | undefined {
    const all = stampBytes === undefined || stampBytes.length === 0 ? bytes : Buffer.concat([stampBytes, bytes]);
    const space = all.subarray(0, longestStamp + 1).indexOf(32);
    if (space < 0 && all.length <= longestStamp && !all.includes(10)) {
      stampBytes = all;
      return undefined;
    }
    stampBytes = undefined;
    const text = all.toString('latin1', 0, Math.max(space, 0));
    if (!stamp.test(text)) return all;
    // A cut piece of a line keeps the time of its beginning.
    if (size === 0) at = text;
    return all.subarray(space + 1);
  }

  return {
    push(bytes, first) {
      const lines: LogChunk[] = [];
      if (first && !raw) stampBytes = Buffer.alloc(0);
      let rest: Buffer | undefined = bytes;
      while (rest !== undefined && rest.length > 0) {
        if (stampBytes !== undefined) {
          rest = takeStamp(rest);
          continue;
        }
        const end = rest.indexOf(10);
        append(end < 0 ? rest : rest.subarray(0, end), lines);
        if (end < 0) break;
        finish(lines);
        rest = rest.subarray(end + 1);
        if (raw) stampBytes = Buffer.alloc(0);
      }
      return lines;
    },

    end() {
      const lines: LogChunk[] = [];
      if (stampBytes !== undefined && stampBytes.length > 0) append(stampBytes, lines);
      stampBytes = undefined;
      if (size > 0) finish(lines);
      return lines;
    },
  };
}

/** The largest length at which the bytes can be cut without splitting a UTF-8 character. */
function characterBoundary(bytes: Buffer): number {
  for (let back = 1; back <= 4 && back < bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return back < characterLength(byte) ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Bytes of the character that this leading byte begins. */
function characterLength(leading: number): number {
  if (leading >= 0xf0) return 4;
  return leading >= 0xe0 ? 3 : 2;
}
