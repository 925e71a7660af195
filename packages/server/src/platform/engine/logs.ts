import type { EngineCall, EngineConnection } from './connection.ts';
import type { LogChunk, LogOptions } from './engine.ts';
import { createFrameParser } from './log-frames.ts';
import { createLineAssembler } from './log-lines.ts';
import { query } from './paths.ts';

/**
 * `GET /containers/{id}/logs`, line by line, as fast as the reader takes them: a slow reader slows the engine's connection
 * down. Leaving the loop or aborting closes the connection.
 */
export async function* followLog(
  connection: EngineConnection,
  path: string,
  options: LogOptions,
): AsyncGenerator<LogChunk> {
  const call: EngineCall = {
    method: 'GET',
    path: `${path}${query({
      stdout: 1,
      stderr: 1,
      timestamps: 1,
      follow: options.follow,
      tail: options.tail ?? 'all',
      since: options.since === undefined ? undefined : toEngineTime(options.since),
      until: options.until === undefined ? undefined : toEngineTime(options.until),
    })}`,
    patience: options.follow ? 'stream' : 'read',
    signal: options.signal,
  };
  if (options.signal?.aborted) return;
  let reply: Awaited<ReturnType<EngineConnection['open']>>;
  try {
    reply = await connection.open(call);
  } catch (error) {
    if (options.signal?.aborted) return;
    throw error;
  }
  yield* readLog(connection.chunks(call, reply.body), options.tty);
}

/** Turns the bytes of a log answer into lines. */
export async function* readLog(chunks: AsyncIterable<Buffer>, tty: boolean): AsyncGenerator<LogChunk> {
  const frames = createFrameParser();
  const assemblers = { stdout: createLineAssembler('stdout', tty), stderr: createLineAssembler('stderr', tty) };
  for await (const chunk of chunks) {
    if (tty) {
      yield* assemblers.stdout.push(chunk, false);
      continue;
    }
    for (const part of frames.push(chunk)) yield* assemblers[part.stream].push(part.bytes, part.first);
  }
  yield* assemblers.stdout.end();
  yield* assemblers.stderr.end();
}

/** The engine takes seconds with a fraction of up to nine digits; RFC 3339 is converted without losing one. */
export function toEngineTime(time: string): string {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/i.exec(time);
  if (parts === null) return time;
  const seconds = Date.parse(`${parts[1]}${parts[3]}`) / 1000;
  return parts[2] === undefined ? String(seconds) : `${seconds}.${parts[2].padEnd(9, '0')}`;
}
