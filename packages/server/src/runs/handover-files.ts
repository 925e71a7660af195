import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { MemberGate } from './gate-terms.ts';
import type { Failure, RestartPolicy } from './run.ts';

/** What the helper has to know. It stands beside the database, which belongs to whoever runs while the helper judges. */
export interface HandoverFacts {
  readonly host: string;
  readonly name: string;
  /** Ids of the container that hands over, and of its replacement. */
  readonly old: string;
  readonly new: string;
  /** The restart policy that both are to have. */
  readonly policy: RestartPolicy;
  readonly gate: MemberGate;
}

/** Whether the new container holds. Given once, by the helper, or by the old one that waits for it in vain. */
export type Verdict = { readonly holds: true } | { readonly holds: false; readonly failure: Failure };

const prefix = 'handover-';
const factsFile = (dataDir: string, run: string) => join(dataDir, `${prefix}${run}.json`);
const verdictFile = (dataDir: string, run: string) => join(dataDir, `${prefix}${run}.verdict.json`);
/** The database as the old one left it. */
export const copyName = (run: string) => `${prefix}${run}.db`;

/** Whole and on the disk when it returns. */
export function writeFacts(dataDir: string, run: string, facts: HandoverFacts): void {
  const file = factsFile(dataDir, run);
  writeDurably(`${file}.part`, JSON.stringify(facts), 'w');
  renameSync(`${file}.part`, file);
}

export function readFacts(dataDir: string, run: string): HandoverFacts | undefined {
  const text = textOf(factsFile(dataDir, run));
  return text === undefined ? undefined : (JSON.parse(text) as HandoverFacts);
}

/** Gives the verdict, unless there is one; returns the one that holds. */
export function decide(dataDir: string, run: string, verdict: Verdict): Verdict {
  try {
    writeDurably(verdictFile(dataDir, run), JSON.stringify(verdict), 'wx');
    return verdict;
  } catch (error) {
    const earlier = readVerdict(dataDir, run);
    if (earlier === undefined) throw error;
    return earlier;
  }
}

/** One that is not whole was being given when its giver ended: nobody has acted on it, and the old one stays. */
export function readVerdict(dataDir: string, run: string): Verdict | undefined {
  const text = textOf(verdictFile(dataDir, run));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Verdict;
  } catch {
    return { holds: false, failure: cutShort };
  }
}

const cutShort: Failure = {
  cause: 'interrupted',
  code: 'interrupted',
  reason: 'The helper was interrupted before it had decided on the new container, so the old one stays.',
  leaveStopped: [],
};

export function removeHandover(dataDir: string, run: string): void {
  for (const name of namesIn(dataDir)) if (runOf(name) === run) rmSync(join(dataDir, name), { force: true });
}

/** Removes what is left of runs that are over. */
export function clearHandovers(dataDir: string, unfinished: ReadonlySet<string>): void {
  for (const name of namesIn(dataDir)) {
    const run = runOf(name);
    if (run !== undefined && !unfinished.has(run)) rmSync(join(dataDir, name), { force: true });
  }
}

function namesIn(dataDir: string): string[] {
  try {
    return readdirSync(dataDir);
  } catch {
    return [];
  }
}

function runOf(name: string): string | undefined {
  return /^handover-([0-9a-f]+)\./.exec(name)?.[1];
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function writeDurably(file: string, text: string, flags: 'w' | 'wx'): void {
  const descriptor = openSync(file, flags, 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
