import type { Logger } from 'pino';

/** One JSON object a line (pino). Secrets are redacted where the logger is made, in `create-log.ts`. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child'>;

/** From the least to the most quiet. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
