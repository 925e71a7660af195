import { EngineError } from './engine.ts';

/** Part of a frame's payload. `first` marks the part that begins the frame: there the engine's time stamp stands. */
export interface FramePart {
  readonly stream: 'stdout' | 'stderr';
  readonly first: boolean;
  readonly bytes: Buffer;
}

const headerLength = 8;

/**
 * Takes the multiplexed stream of a container without a TTY apart: frames of an 8-byte header (stream 0 stdin, 1 stdout,
 * 2 stderr, 3 error of the engine; three zeros; length, big-endian) and a payload (Engine API, "Stream format"). Chunks may
 * be cut anywhere, payloads are passed on as they come, so that memory does not depend on their size.
 */
export function createFrameParser(): { push(chunk: Buffer): FramePart[] } {
  const header = Buffer.alloc(headerLength);
  let filled = 0;
  let left = 0;
  let kind = 0;
  let first = false;
  let complaint = '';

  return {
    push(chunk) {
      const parts: FramePart[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (left === 0) {
          const taken = chunk.copy(header, filled, at, at + headerLength - filled);
          filled += taken;
          at += taken;
          if (filled < headerLength) break;
          filled = 0;
          kind = header.readUInt8(0);
          left = header.readUInt32BE(4);
          first = true;
          if (kind > 3 || header.readUIntBE(1, 3) !== 0) {
            throw new EngineError(0, 'read log', 'The log stream is not multiplexed as its container says.');
          }
          continue;
        }
        const bytes = chunk.subarray(at, at + left);
        at += bytes.length;
        left -= bytes.length;
        if (kind === 3) complaint += bytes.toString('utf8');
        else parts.push({ stream: kind === 2 ? 'stderr' : 'stdout', first, bytes });
        first = false;
        if (kind === 3 && left === 0) throw new EngineError(0, 'read log', complaint.trim());
      }
      return parts;
    },
  };
}
