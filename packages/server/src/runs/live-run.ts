import type { Run, RunPhase, RunStep } from '@evenkeel/contract';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import { moment } from '../platform/clock.ts';
import { type Journal, journalRun, type MemberChange, type StoredRun } from './journal-store.ts';
import { type Failure, further, type JournalMember, type JournalRun, type MemberProgress, type Step } from './run.ts';

/**
 * One run at work: its journal and what people see of it, changed together. A change is first on the disk, then in the collection;
 * when the disk does not take it, nothing of it has happened.
 */
export interface LiveRun {
  readonly id: string;
  run(): Run;
  stored(): StoredRun;
  journal(): JournalRun;
  member(name: string): { readonly position: number; readonly member: JournalMember };
  /** Puts the facts on the disk and shows the steps. Before anything changes. */
  plan(members: readonly JournalMember[], shown: Partial<Run>, steps: readonly Step[], keptImage: string): void;
  /** Shows more steps behind those that have begun; what had not begun is skipped. Returns the number of the first. */
  replan(steps: readonly Step[]): number;
  /** The step is about to be done: durable when this returns. */
  begin(number: number, phase: RunPhase, progress?: ProgressOf): void;
  done(number: number, progress?: ProgressOf, shown?: Partial<Run>): void;
  failedStep(number: number, error: string): void;
  /** From here on it goes back. */
  fail(failure: Failure, shown?: Partial<Run>): void;
  note(phase: RunPhase, text: string, shown?: Partial<Run>): void;
  finish(state: Run['state'], text: string, shown?: Partial<Run>): void;
}

export interface ProgressOf {
  readonly name: string;
  readonly progress: Partial<MemberProgress>;
}

export function createLiveRun(options: {
  journal: Journal;
  collection: LiveCollection<Run>;
  now: () => number;
  stored: StoredRun;
  members: readonly JournalMember[];
}): LiveRun {
  const { journal, collection, now } = options;
  let stored = options.stored;
  let members = [...options.members];

  function member(name: string) {
    const position = members.findIndex((one) => one.name === name);
    const found = members[position];
    if (found === undefined) throw new Error(`The run has no member ${name}.`);
    return { position, member: found };
  }

  /** Durable first, then seen. */
  function write(
    next: StoredRun,
    record: { phase: RunPhase; event: 'begin' | 'done' | 'failed' | 'note'; text: string },
    progress?: ProgressOf,
  ): void {
    const changed: MemberChange[] = [];
    let nextMembers = members;
    if (progress !== undefined) {
      const { position, member: one } = member(progress.name);
      const grown = { ...one, progress: { ...one.progress, ...progress.progress } };
      nextMembers = members.with(position, grown);
      changed.push({ position, progress: grown.progress });
    }
    journal.write(next, record, changed);
    stored = next;
    members = nextMembers;
    collection.put(stored.run);
  }

  function withSteps(change: (step: RunStep) => RunStep, shown: Partial<Run> = {}): StoredRun {
    return { ...stored, run: { ...stored.run, ...shown, steps: stored.run.steps.map(change) } };
  }

  const textOf = (number: number) => stored.run.steps.find((step) => step.number === number)?.text ?? `step ${number}`;

  return {
    id: stored.run.id,
    run: () => stored.run,
    stored: () => stored,
    journal: () => journalRun(stored, members),
    member,
    plan(planned, shown, steps, keptImage) {
      const next: StoredRun = {
        ...stored,
        keptImage,
        run: { ...stored.run, ...shown, state: 'running', phase: 'PLANNED', steps: steps.map(waiting) },
      };
      journal.plan(next, planned);
      stored = next;
      members = [...planned];
      collection.put(stored.run);
    },
    replan(steps) {
      const kept = stored.run.steps.map((step) =>
        isOpen(step) ? { ...step, state: step.state === 'running' ? ('failed' as const) : ('skipped' as const) } : step,
      );
      // A way back that is tried again and again is shown once.
      const again = (step: RunStep | undefined) =>
        step?.phase === steps[0]?.phase && (step?.state === 'failed' || step?.state === 'skipped');
      while (steps[0]?.phase === 'ROLLBACK' && again(kept.at(-1))) kept.pop();
      const added = steps.map((step, index) => waiting(step, kept.length + index));
      stored = { ...stored, run: { ...stored.run, steps: [...kept, ...added] } };
      collection.put(stored.run);
      return kept.length + 1;
    },
    begin(number, phase, progress) {
      const next = withSteps(
        (step) =>
          step.number === number ? { ...step, state: 'running', startedAt: moment(now()), error: null } : step,
        { phase },
      );
      const forward = phase !== 'ROLLBACK' && stored.failure === null;
      write(
        forward ? { ...next, furthest: further(stored.run.strategy, stored.furthest, phase) } : next,
        { phase, event: 'begin', text: textOf(number) },
        progress,
      );
    },
    done(number, progress, shown) {
      const next = withSteps(
        (step) => (step.number === number ? { ...step, state: 'done', finishedAt: moment(now()) } : step),
        shown,
      );
      write(next, { phase: stored.run.phase, event: 'done', text: textOf(number) }, progress);
    },
    failedStep(number, error) {
      const next = withSteps((step) =>
        step.number === number ? { ...step, state: 'failed', finishedAt: moment(now()), error } : step,
      );
      write(next, { phase: stored.run.phase, event: 'failed', text: `${textOf(number)}: ${error}` });
    },
    fail(failure, shown) {
      const run: Run = { ...stored.run, ...shown, state: 'rolling-back', phase: 'ROLLBACK', reason: failure.reason };
      write({ ...stored, run, failure }, { phase: 'ROLLBACK', event: 'note', text: failure.reason });
    },
    note(phase, text, shown) {
      const next: StoredRun = {
        ...stored,
        run: { ...stored.run, ...shown, phase },
        furthest: stored.failure === null ? further(stored.run.strategy, stored.furthest, phase) : stored.furthest,
      };
      write(next, { phase, event: 'note', text });
    },
    finish(state, text, shown) {
      const ended: RunPhase = state === 'committed' ? 'DONE' : 'ROLLED_BACK';
      const phase = state !== 'committed' && stored.furthest === 'PLANNED' ? stored.furthest : ended;
      const next = withSteps((step) => (isOpen(step) ? { ...step, state: 'skipped' } : step), {
        ...shown,
        state,
        phase,
        finishedAt: moment(now()),
      });
      write(next, { phase: next.run.phase, event: 'note', text });
    },
  };
}

function waiting(step: Step, index: number): RunStep {
  const { action: _, ...shown } = step;
  return { ...shown, number: index + 1, state: 'waiting', startedAt: null, finishedAt: null, error: null };
}

function isOpen(step: RunStep): boolean {
  return step.state === 'waiting' || step.state === 'running';
}
