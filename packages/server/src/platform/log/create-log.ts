import { type DestinationStream, type LoggerOptions, pino } from 'pino';
import type { Log, LogLevel } from './log.ts';

const longestText = 4000;
const secretFields = ['password', 'newPassword', 'currentPassword', 'token', 'accessToken', 'refreshToken', 'ticket'];
const secretHeaders = ['authorization', 'cookie', 'set-cookie', 'x-registry-auth'];

/**
 * The log: one JSON object a line, so that a hostile name with newlines or terminal sequences stays inside its string.
 * Fields with the names of secrets are replaced, long texts are cut.
 */
export function createLog(options: { level: LogLevel; destination?: DestinationStream }): Log {
  const settings: LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }), log: cutTexts },
    redact: {
      paths: [...secretFields, ...secretHeaders].flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
      censor: '••••',
    },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

function cutTexts(fields: Record<string, unknown>): Record<string, unknown> {
  const cut: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    cut[name] = typeof value === 'string' && value.length > longestText ? `${value.slice(0, longestText)}…` : value;
  }
  return cut;
}

/** For tests and for parts that have nothing to say. */
export function silentLog(): Log {
  return createLog({ level: 'silent' });
}
