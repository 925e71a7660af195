import { z } from 'zod';
import { ListQuery, Moment } from './page.ts';

export const operationStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export const OperationState = z.enum(operationStates);
export type OperationState = z.infer<typeof OperationState>;

/** Anything that can outlast a request: durable, with progress, a log and a result. */
export const Operation = z.object({
  id: z.string(),
  kind: z.enum(['update', 'rollback', 'check']),
  title: z.string(),
  host: z.string().nullable(),
  targets: z.array(z.string()).describe('Names of what it works on'),
  state: OperationState,
  progress: z.object({ done: z.number(), total: z.number().nullable(), text: z.string() }),
  cancellable: z.boolean(),
  actor: z.string(),
  run: z.string().nullable().describe('Id of the run, for updates and rollbacks'),
  error: z.object({ code: z.string(), detail: z.string() }).nullable(),
  summary: z.string().nullable().describe('The result in one sentence'),
  createdAt: Moment,
  startedAt: Moment.nullable(),
  finishedAt: Moment.nullable(),
});
export type Operation = z.infer<typeof Operation>;

export const OperationListQuery = ListQuery.extend({
  state: OperationState.optional(),
  kind: Operation.shape.kind.optional(),
});

export const OperationLogLine = z.object({ at: Moment, level: z.enum(['info', 'warn', 'error']), text: z.string() });
export type OperationLogLine = z.infer<typeof OperationLogLine>;
export const OperationLog = z.object({ lines: z.array(OperationLogLine) });

export const Accepted = z.object({ operation: z.string().describe('Id of the operation that does the work') });
export type Accepted = z.infer<typeof Accepted>;
