import { z } from 'zod';

/** One wrong field of a request: where it stands, which rule it breaks, and a sentence. */
export const FieldProblem = z.object({
  field: z.string().describe('Path of the field, for example `body.password` or `query.limit`'),
  rule: z.string().describe('The rule that was broken, for example `too_small`'),
  message: z.string(),
});
export type FieldProblem = z.infer<typeof FieldProblem>;

/** Every error body: RFC 9457 problem details with our code and the request id. */
export const Problem = z.object({
  type: z.string().describe('URI reference of the error code, `/docs/errors#<code>`'),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional().describe('What was wrong, where, and what to do. Absent for errors of ours (5xx bugs)'),
  code: z.string(),
  requestId: z.string(),
  fields: z.array(FieldProblem).optional(),
  retryAfterSeconds: z.number().optional(),
});
export type Problem = z.infer<typeof Problem>;
