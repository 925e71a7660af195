import { Fault } from '../fault.ts';
import type { EngineCall, EngineConnection } from './connection.ts';
import type { EngineEvent } from './engine-types.ts';
import { readJsonLines } from './json-lines.ts';
import { query } from './paths.ts';

/** `GET /events`. Ends when the signal is aborted; any other end of the stream is a lost connection and throws. */
export async function* followEvents(
  connection: EngineConnection,
  options: { since?: string; signal: AbortSignal },
): AsyncGenerator<EngineEvent> {
  const { signal } = options;
  const call: EngineCall = {
    method: 'GET',
    path: `/events${query({ since: options.since })}`,
    patience: 'stream',
    signal,
  };
  if (signal.aborted) return;
  try {
    const reply = await connection.open(call);
    yield* readJsonLines<EngineEvent>(connection.chunks(call, reply.body));
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof SyntaxError)) throw error;
    throw lost(connection.endpoint, error);
  }
  if (!signal.aborted) throw lost(connection.endpoint);
}

function lost(endpoint: string, cause?: unknown): Fault {
  return new Fault(
    'engine_unreachable',
    `The engine at ${endpoint} ended its event stream. It is stopping or restarting.`,
    cause === undefined ? {} : { cause },
  );
}
