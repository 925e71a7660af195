import { errorCodes, type Problem } from '@evenkeel/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EngineError } from '../engine/engine.ts';
import { describeError, Fault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import { databaseFault } from '../store/database-fault.ts';

const mediaType = 'application/problem+json; charset=utf-8';

/** Every error leaves the server as problem details (RFC 9457) with our code and the request id. Errors of ours say nothing more. */
export function handleErrors(app: FastifyInstance, log: Log, report?: (fault: Fault) => void): void {
  app.setErrorHandler((error, request, reply) => {
    const fault = toFault(error);
    report?.(fault);
    logProblem(log, request, fault, error);
    return sendProblem(request, reply, fault);
  });
  app.setNotFoundHandler((request, reply) => {
    const fault = new Fault('not_found', `There is no ${request.method} ${pathOf(request)}.`);
    logProblem(log, request, fault, fault);
    return sendProblem(request, reply, fault);
  });
}

/** What somebody may be trying that is not allowed. A token that has run out is none of that: it happens every 15 minutes. */
const suspicious: ReadonlySet<string> = new Set(['denied', 'setup_closed', 'origin_refused', 'too_many_requests']);

/** Each problem is one line with its request id. What was sent is not repeated: it may be a secret in the wrong field. */
export function logProblem(log: Log, request: FastifyRequest, fault: Fault, error: unknown): void {
  const line = {
    request: request.id,
    method: request.method,
    path: pathOf(request),
    status: fault.status,
    code: fault.code,
    address: request.ip,
    user: request.actor?.name,
  };
  if (fault.kind === 'bug') log.error({ ...line, err: error }, 'request failed');
  else if (fault.kind === 'remote-sick') log.warn({ ...line, reason: fault.message }, 'request failed');
  else if (suspicious.has(fault.code)) log.warn(line, 'request refused');
  else log.info(line, 'request refused');
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, fault: Fault): FastifyReply {
  if (fault.retryAfterSeconds !== undefined) reply.header('retry-after', Math.ceil(fault.retryAfterSeconds));
  if (fault.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(fault.status)
    .header('content-type', mediaType)
    .header('cache-control', 'no-store')
    .send(JSON.stringify(problemOf(fault, request.id)));
}

export function problemOf(fault: Fault, requestId: string): Problem {
  return {
    type: `/docs/errors#${fault.code}`,
    title: errorCodes[fault.code].title,
    status: fault.status,
    ...(fault.kind === 'bug' ? {} : { detail: fault.message }),
    code: fault.code,
    requestId,
    ...(fault.fields === undefined ? {} : { fields: [...fault.fields] }),
    ...(fault.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: fault.retryAfterSeconds }),
  };
}

/** The path without its query, which may hold what does not belong into a log. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const ofDatabase = databaseFault(error);
  if (ofDatabase !== undefined) return ofDatabase;
  if (error instanceof EngineError)
    return new Fault('engine_refused', `The Docker Engine refused ${error.call}: ${error.message}`, { cause: error });
  return ofFramework(error) ?? new Fault('internal', describeError(error), { cause: error });
}

/** What fastify itself refuses: https://fastify.dev/docs/latest/Reference/Errors/ */
function ofFramework(error: unknown): Fault | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  const { statusCode } = error;
  if (statusCode === 413) return new Fault('too_large', 'The body is larger than 1 MiB.', { cause: error });
  if (statusCode === 415)
    return new Fault('unsupported_media_type', 'The body must be JSON with the content type application/json.', {
      cause: error,
    });
  if (statusCode < 400 || statusCode >= 500) return undefined;
  return new Fault('bad_input', `The request cannot be read: ${error.message}.`, {
    cause: error,
    fields: [{ field: 'body', rule: 'invalid_json', message: error.message }],
  });
}
