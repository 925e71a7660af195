import { EngineError, type PullProgress } from './engine.ts';
import { readJsonLines } from './json-lines.ts';

/** A line of the answer to `POST /images/create`. */
interface PullMessage {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

/**
 * Reads a pull to its end. The status of the answer was sent before the pull began, so a failed pull says so in a line
 * of the stream only: that line rejects.
 */
export async function readPull(
  chunks: AsyncIterable<Buffer>,
  call: string,
  onProgress?: (progress: PullProgress) => void,
): Promise<void> {
  let failure: string | undefined;
  for await (const message of readJsonLines<PullMessage>(chunks)) {
    failure ??= message.errorDetail?.message ?? message.error;
    if (message.status === undefined || failure !== undefined) continue;
    const { current, total } = message.progressDetail ?? {};
    onProgress?.({
      status: message.status,
      ...(message.id === undefined ? {} : { layer: message.id }),
      ...(current === undefined ? {} : { current }),
      ...(total === undefined ? {} : { total }),
    });
  }
  if (failure !== undefined) throw new EngineError(0, call, failure);
}
