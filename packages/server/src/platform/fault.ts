import { type ErrorCode, errorCodes, type FaultKind, type FieldProblem } from '@evenkeel/contract';

export interface FaultOptions {
  readonly cause?: unknown;
  readonly fields?: readonly FieldProblem[];
  readonly retryAfterSeconds?: number;
}

/**
 * The one error that may leave the server. `detail` is a sentence for people: what was wrong, where, what to do.
 * Any other error that reaches a face is a bug of ours and is answered without detail.
 */
export class Fault extends Error {
  readonly code: ErrorCode;
  readonly fields: readonly FieldProblem[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, detail: string, options: FaultOptions = {}) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.fields = options.fields;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }

  get kind(): FaultKind {
    return errorCodes[this.code].fault;
  }
}

/** The sentence of any thrown value, for journals and logs. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
