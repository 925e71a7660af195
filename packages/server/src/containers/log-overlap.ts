import type { LogLine } from '@evenkeel/contract';

/** stdout and stderr are written beside each other, so times may be out of order by a little. */
const disorderMilliseconds = 1000;

/**
 * Joins two readings of the same output: lines that were `read` by themselves, and a stream that may be behind or ahead of where that
 * reading ended. The answer tells of each line of the stream, in its order, whether it is new, so that none is told twice and none is
 * lost. `before` is the last line that the stream had told when the reading began; undefined when it had told none.
 */
export function createOverlap(read: readonly LogLine[], before: LogLine | undefined): (line: LogLine) => boolean {
  const last = read.at(-1);
  if (last === undefined) return () => true;
  const at = before === undefined ? -1 : read.findLastIndex((line) => nameOf(line) === nameOf(before));
  /** What the stream will tell of the reading once more; lines of one nanosecond and the same text are counted. */
  const coming = new Map<string, number>();
  for (const line of read.slice(at + 1)) coming.set(nameOf(line), (coming.get(nameOf(line)) ?? 0) + 1);
  // A stream that had not come as far as the reading goes back tells of older lines first.
  let older = at < 0;
  return (line) => {
    if (coming.size === 0) return true;
    const name = nameOf(line);
    const left = coming.get(name) ?? 0;
    if (left > 0) {
      older = false;
      if (left === 1) coming.delete(name);
      else coming.set(name, left - 1);
      return false;
    }
    // The reading never came by: the engine has begun another file, or the stream began after it.
    const passed = Date.parse(line.at) - Date.parse(last.at) > disorderMilliseconds;
    if (older && (passed || (before === undefined && line.at > last.at))) coming.clear();
    return !older || coming.size === 0;
  };
}

function nameOf({ at, stream, text }: LogLine): string {
  return `${at} ${stream} ${text}`;
}
