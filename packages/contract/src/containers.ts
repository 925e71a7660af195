import { z } from 'zod';
import { ListQuery, Moment } from './page.ts';

export const containerStates = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const;
export const ContainerState = z.enum(containerStates);
export type ContainerState = z.infer<typeof ContainerState>;

export const PortMapping = z.object({
  ip: z.string().nullable(),
  privatePort: z.int(),
  publicPort: z.int().nullable(),
  protocol: z.string(),
});
export type PortMapping = z.infer<typeof PortMapping>;

export const ContainerMount = z.object({
  type: z.string(),
  source: z.string().nullable().describe('Volume name or path on the host'),
  target: z.string(),
  readOnly: z.boolean(),
});

/** A container as the live inventory knows it. */
export const Container = z.object({
  key: z.string().describe('`<host>/<id>`: unique over all hosts'),
  host: z.string(),
  id: z.string(),
  name: z.string(),
  image: z.string().describe('The reference that the container was created from'),
  imageId: z.string(),
  state: ContainerState,
  health: z.enum(['none', 'starting', 'healthy', 'unhealthy']),
  createdAt: Moment,
  startedAt: Moment.nullable(),
  finishedAt: Moment.nullable(),
  exitCode: z.int().nullable(),
  restartCount: z.int(),
  restartPolicy: z.string(),
  ports: z.array(PortMapping),
  networks: z.array(z.object({ name: z.string(), ip: z.string().nullable() })),
  mounts: z.array(ContainerMount),
  labels: z.record(z.string(), z.string()),
  stack: z.string().nullable().describe('Compose project'),
  service: z.string().nullable().describe('Compose service'),
  self: z.boolean().describe('This is the container in which Evenkeel itself runs'),
  stale: z.boolean().describe('Its host does not answer, or cannot show this container: this is the last picture'),
});
export type Container = z.infer<typeof Container>;

/** One container, with what only a detail page shows. Secrets are masked in the environment, the command and the health log. */
export const ContainerDetail = Container.extend({
  command: z.array(z.string()),
  entrypoint: z.array(z.string()),
  environment: z.array(
    z.object({ name: z.string(), value: z.string().describe('Masked as `••••` where the name looks like a secret') }),
  ),
  user: z.string(),
  workingDirectory: z.string(),
  hostname: z.string(),
  networkMode: z.string(),
  privileged: z.boolean(),
  healthLog: z.array(z.object({ at: Moment, exitCode: z.int(), output: z.string() })),
  memoryLimitBytes: z.number().nullable(),
});
export type ContainerDetail = z.infer<typeof ContainerDetail>;

export const ContainerListQuery = ListQuery.extend({
  host: z.string().max(64).optional(),
  state: ContainerState.optional(),
  stack: z.string().max(200).optional(),
});

/** `container` is an id, a unique beginning of one (12 or more digits), or a name. */
export const ContainerParams = z.strictObject({
  host: z.string().min(1).max(64),
  container: z.string().min(1).max(255),
});
export const StopBody = z.strictObject({
  timeoutSeconds: z.int().min(0).max(600).optional().describe('Default: the stop timeout of the container'),
});

export const LogQuery = z.strictObject({
  tail: z.coerce.number().int().min(0).max(10_000).default(500),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional().describe('Only lines before this moment: for scrolling back'),
  q: z.string().max(256).optional().describe('Only lines that hold this text'),
});

/** One line of a container's output. ANSI sequences are kept; `level` is our guess from the text. */
export const LogLine = z.object({
  at: z.string().describe('RFC 3339 with nanoseconds, as the engine gives it'),
  stream: z.enum(['stdout', 'stderr']),
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).nullable(),
  text: z.string(),
});
export type LogLine = z.infer<typeof LogLine>;
export const LogPage = z.object({ lines: z.array(LogLine), truncated: z.boolean() });
export type LogPage = z.infer<typeof LogPage>;
