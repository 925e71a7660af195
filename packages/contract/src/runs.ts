import { z } from 'zod';
import { ListQuery, Moment } from './page.ts';
import { ContainerRef } from './updates.ts';

export const strategies = ['recreate', 'start-first'] as const;
export const Strategy = z.enum(strategies);
export type Strategy = z.infer<typeof Strategy>;

/** The phases of a run, in the words of the journal. */
export const runPhases = [
  'PLANNED',
  'HOLDING',
  'CREATING',
  'CREATED',
  'QUIESCING',
  'STOPPING',
  'SWAPPING',
  'STARTING',
  'VERIFYING',
  'COMMIT',
  'ROLLBACK',
  'DONE',
  'ROLLED_BACK',
] as const;
export const RunPhase = z.enum(runPhases);
export type RunPhase = z.infer<typeof RunPhase>;

export const Gate = z.strictObject({
  seconds: z
    .int()
    .min(1)
    .max(3600)
    .optional()
    .describe('Without a health check: how long the new container must run. Default 15'),
  http: z
    .strictObject({
      port: z.int().min(1).max(65535),
      path: z.string().startsWith('/').max(1000).default('/'),
      status: z.int().min(100).max(599).optional(),
    })
    .optional(),
  tcp: z.strictObject({ port: z.int().min(1).max(65535) }).optional(),
  timeoutSeconds: z.int().min(1).max(3600).optional().describe('Longest wait for the probe or the health check'),
});
export type Gate = z.infer<typeof Gate>;

export const PlanStep = z.object({
  number: z.int(),
  phase: RunPhase,
  member: z.string().describe('Name of the container that the step is about'),
  text: z.string().describe('What is done, one line: `stop web (10 s)`'),
  call: z.string().nullable().describe('The engine call, `POST /containers/web/stop`'),
  cause: z.string().describe('Why'),
});
export type PlanStep = z.infer<typeof PlanStep>;

export const Finding = z.object({
  code: z.string(),
  text: z.string(),
  remedy: z.string().nullable().describe('What to do about it'),
});
export type Finding = z.infer<typeof Finding>;

/** What an update would do, before it is done. */
export const Plan = z.object({
  host: z.string(),
  container: z.string(),
  name: z.string(),
  kind: z.enum(['update', 'rollback']),
  strategy: Strategy,
  strategyReason: z.string().nullable().describe('Why another strategy than the wished one was taken'),
  from: z.object({ image: z.string(), imageId: z.string(), digest: z.string().nullable(), tag: z.string().nullable() }),
  to: z.object({
    image: z.string(),
    imageId: z.string().nullable(),
    digest: z.string().nullable(),
    tag: z.string().nullable(),
  }),
  steps: z.array(PlanStep),
  expectedGapSeconds: z.number().describe('Old stopped until new running, estimated'),
  gate: z.string().describe('What must hold before the old container is removed'),
  dependants: z.array(z.object({ name: z.string(), relation: z.string(), action: z.string() })),
  losses: z.array(Finding).describe('What will be lost: files of the writable layer, ephemeral ports, logs'),
  warnings: z.array(Finding),
  refusals: z.array(Finding).describe('Not empty: the run is refused'),
});
export type Plan = z.infer<typeof Plan>;

export const runStates = [
  'queued',
  'running',
  'rolling-back',
  'committed',
  'rolled-back',
  'failed',
  'cancelled',
  'refused',
] as const;
export const RunState = z.enum(runStates);
export type RunState = z.infer<typeof RunState>;

export const RunStep = PlanStep.extend({
  state: z.enum(['waiting', 'running', 'done', 'failed', 'skipped']),
  startedAt: Moment.nullable(),
  finishedAt: Moment.nullable(),
  error: z.string().nullable(),
});
export type RunStep = z.infer<typeof RunStep>;

/** One execution of a plan. Its id is also the id of its operation. */
export const Run = z.object({
  id: z.string(),
  host: z.string(),
  name: z.string(),
  kind: z.enum(['update', 'rollback']),
  strategy: Strategy,
  state: RunState,
  phase: RunPhase,
  actor: z.string(),
  from: Plan.shape.from,
  to: Plan.shape.to,
  oldContainer: z.string(),
  newContainer: z.string().nullable(),
  steps: z.array(RunStep),
  warnings: z.array(Finding),
  reason: z.string().nullable().describe('Why it was rolled back, failed or was refused'),
  failedLog: z.string().nullable().describe('The last lines of the new container when it failed'),
  oldLog: z
    .string()
    .nullable()
    .describe(
      'The last lines of the containers that were replaced, kept as long as the image; at most 100 lines of each',
    ),
  gapMilliseconds: z.number().nullable().describe('Measured: old stopped until new running'),
  recovered: z.boolean().describe('Finished by recovery after an interruption'),
  rollbackAvailable: z.boolean().describe('The image that it replaced is still there'),
  createdAt: Moment,
  startedAt: Moment.nullable(),
  finishedAt: Moment.nullable(),
});
export type Run = z.infer<typeof Run>;

export const RunListQuery = ListQuery.extend({
  host: z.string().max(64).optional(),
  name: z.string().max(255).optional().describe('Container name'),
  state: RunState.optional(),
});

export const RunRequest = ContainerRef.extend({
  candidate: z.string().max(400).optional().describe('Id of the candidate; the best one when absent'),
  strategy: Strategy.optional(),
  gate: Gate.optional(),
});
export type RunRequest = z.infer<typeof RunRequest>;

export const StartRunsBody = z.strictObject({ containers: z.array(RunRequest).min(1).max(500) });
export type StartRunsBody = z.infer<typeof StartRunsBody>;

/** One result per asked container: a run, or the reason of the refusal. */
export const StartRunsResult = z.object({
  results: z.array(
    z.object({ host: z.string(), container: z.string(), run: z.string().nullable(), refusal: Finding.nullable() }),
  ),
});
export type StartRunsResult = z.infer<typeof StartRunsResult>;

export const RollbackBody = z.strictObject({ gate: Gate.optional() });
