import { describeError } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import type { Site } from './container-actions.ts';
import type { LiveRun } from './live-run.ts';
import { locate } from './look.ts';
import type { Step } from './run.ts';
import { isUnreachable } from './wait-for-engine.ts';

const keptLines = 100;
const keptBytes = 16 * 1024;
const patienceMs = 10_000;

/**
 * Keeps the last lines of an old container before the step that makes the engine remove it and its log with it: the removal, or the
 * stop of a `--rm` one. A log that cannot be read is no reason to stop a run.
 */
export async function keepOldLog(site: Site, live: LiveRun, log: Log, { action, phase }: Step): Promise<void> {
  const { engine, member, run, signal } = site;
  const takesLog = action.do === 'remove' || (action.do === 'stop' && member.autoRemove);
  if (!takesLog || action.which !== 'old' || site.goingBack || member.role === 'restart') return;
  const lines: string[] = [];
  try {
    const container = await locate(engine, run, member, 'old');
    if (container === undefined || container.State.Status === 'created') return;
    const within = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    const options = { follow: false, tail: keptLines, tty: container.Config.Tty === true, signal: within };
    for await (const { text } of engine.containers.logs(container.Id, options)) lines.push(text);
  } catch (error) {
    if (isUnreachable(error) && !signal.aborted) throw error;
    log.warn({ run, name: member.name, reason: describeError(error) }, 'the log of an old container cannot be kept');
  }
  if (lines.length === 0) return;
  const several = live.journal().members.filter(({ role }) => role !== 'restart').length > 1;
  const oldLog = withOldLog(live.run().oldLog, member.name, several, boundedTail(lines));
  if (oldLog !== live.run().oldLog) live.note(phase, `the last lines of the old ${member.name} are kept`, { oldLog });
}

/** The last lines that fit, whole; of a single one that does not fit, its end. */
export function boundedTail(lines: readonly string[]): string {
  const kept: string[] = [];
  let bytes = 0;
  for (const line of lines.toReversed()) {
    bytes += Buffer.byteLength(line) + 1;
    if (kept.length === keptLines || bytes > keptBytes) break;
    kept.unshift(line);
  }
  // What a cut character would become takes three bytes.
  return kept.length > 0
    ? kept.join('\n')
    : Buffer.from(lines.at(-1) ?? '')
        .subarray(8 - keptBytes)
        .toString();
}

/** Adds the lines of one member, unless an interrupted attempt did before. */
export function withOldLog(before: string | null, name: string, several: boolean, tail: string): string {
  if (!several) return before ?? tail;
  const heading = `${name}:`;
  if (before?.split('\n').includes(heading)) return before;
  return [...(before === null ? [] : [before]), heading, tail].join('\n');
}
