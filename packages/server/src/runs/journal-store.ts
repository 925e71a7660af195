import type { Run, RunPhase } from '@evenkeel/contract';
import { type Kysely, sql } from 'kysely';
import type { Sealer } from '../platform/crypto/sealer.ts';
import { Fault } from '../platform/fault.ts';
import { withDatabaseFaults } from '../platform/store/database-fault.ts';
import type { Migrations, Store } from '../platform/store/store.ts';
import type { Failure, JournalMember, JournalRun, Member, MemberProgress, Wish } from './run.ts';

/** What the journal keeps of a run beside its members: what people see, and what the work needs. */
export interface StoredRun {
  readonly run: Run;
  readonly wish: Wish;
  readonly furthest: RunPhase;
  readonly failure: Failure | null;
  /** Reference under which the replaced image is kept. */
  readonly keptImage: string | null;
}

/** One line of the journal: written and flushed before what it announces is done. */
export interface JournalRecord {
  readonly phase: RunPhase;
  readonly event: 'begin' | 'done' | 'failed' | 'note';
  readonly text: string;
}

/**
 * The journal of the runs. Every write is one transaction that is on the disk (`synchronous=FULL`) when the call returns; when it
 * cannot be, it throws `disk_full` or `read_only` and nothing of it is kept. Inspects, specs and logs are sealed: they hold secrets.
 */
export interface Journal {
  insert(stored: StoredRun): void;
  /** Writes the run, what changed of its members, and the record that announces or reports it, together. */
  write(stored: StoredRun, record: JournalRecord, members?: readonly MemberChange[]): void;
  /** Puts the facts of the members on the disk: before anything changes. */
  plan(stored: StoredRun, members: readonly JournalMember[]): void;
  members(run: string): JournalMember[];
  records(run: string): (JournalRecord & { at: number })[];
  all(): StoredRun[];
  get(run: string): StoredRun | undefined;
  /** Facts of finished runs are only needed while their image is kept. */
  forgetMembers(run: string): void;
  remove(runs: readonly string[]): void;
}

export interface MemberChange {
  readonly position: number;
  readonly progress: MemberProgress;
}

interface RunRow {
  id: string;
  created_at: number;
  state: string;
  document: string;
  wish: string;
  furthest: string;
  failure: string | null;
  failed_log: string | null;
  old_log: string | null;
  kept_image: string | null;
}

interface MemberRow {
  run: string;
  position: number;
  facts: string;
  progress: string | null;
}

interface RecordRow {
  run: string;
  at: number;
  phase: string;
  event: string;
  text: string;
}

export const runsMigrations: Migrations = {
  '2026-11-25-runs-1': {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`CREATE TABLE runs (
        id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, state TEXT NOT NULL, document TEXT NOT NULL, wish TEXT NOT NULL,
        furthest TEXT NOT NULL, failure TEXT, failed_log TEXT, kept_image TEXT) STRICT`.execute(db);
      await sql`CREATE TABLE run_members (
        run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, position INTEGER NOT NULL, facts TEXT NOT NULL, progress TEXT,
        PRIMARY KEY (run, position)) STRICT`.execute(db);
      await sql`CREATE TABLE run_records (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, at INTEGER NOT NULL,
        phase TEXT NOT NULL, event TEXT NOT NULL, text TEXT NOT NULL) STRICT`.execute(db);
      await sql`CREATE INDEX run_records_run ON run_records(run, id)`.execute(db);
    },
  },
  '2026-11-25-runs-2': {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`ALTER TABLE runs ADD COLUMN old_log TEXT`.execute(db);
    },
  },
};

const emptyProgress: MemberProgress = { newId: null, newImage: null, holderId: null, restoredId: null, spec: null };

export function createJournal(options: {
  store: Store;
  sealer: Sealer;
  now: () => number;
  /** Called before and after each write; the kill matrix ends the process here. */
  failpoint?: (point: string) => void;
}): Journal {
  const { store, sealer, now } = options;
  const failpoint = options.failpoint ?? (() => {});
  const { raw } = store;
  const insertRun = raw.prepare(
    `INSERT INTO runs (id, created_at, state, document, wish, furthest, failure, failed_log, old_log, kept_image)
     VALUES (@id, @created_at, @state, @document, @wish, @furthest, @failure, @failed_log, @old_log, @kept_image)`,
  );
  const updateRun = raw.prepare(
    `UPDATE runs SET state = @state, document = @document, furthest = @furthest, failure = @failure,
     failed_log = @failed_log, old_log = @old_log, kept_image = @kept_image WHERE id = @id`,
  );
  const insertRecord = raw.prepare(
    'INSERT INTO run_records (run, at, phase, event, text) VALUES (@run, @at, @phase, @event, @text)',
  );
  const insertMember = raw.prepare(
    'INSERT OR REPLACE INTO run_members (run, position, facts, progress) VALUES (@run, @position, @facts, @progress)',
  );
  const updateMember = raw.prepare(
    'UPDATE run_members SET progress = @progress WHERE run = @run AND position = @position',
  );
  const selectMembers = raw.prepare<[string], MemberRow>('SELECT * FROM run_members WHERE run = ? ORDER BY position');
  const selectRuns = raw.prepare<[], RunRow>('SELECT * FROM runs ORDER BY created_at');
  const selectRun = raw.prepare<[string], RunRow>('SELECT * FROM runs WHERE id = ?');
  const selectRecords = raw.prepare<[string], RecordRow>('SELECT * FROM run_records WHERE run = ? ORDER BY id');
  const deleteMembers = raw.prepare('DELETE FROM run_members WHERE run = ?');
  const deleteRun = raw.prepare('DELETE FROM runs WHERE id = ?');

  function durably(point: string, work: () => void): void {
    failpoint(`before ${point}`);
    if (store.readOnly) {
      throw new Fault('read_only', 'The journal cannot be written, so nothing was changed. Repair the database first.');
    }
    withDatabaseFaults(() => raw.transaction(work).immediate());
    failpoint(`after ${point}`);
  }

  function rowOf({ run, wish, furthest, failure, keptImage }: StoredRun): RunRow {
    const { failedLog, oldLog, ...document } = run;
    return {
      id: run.id,
      created_at: Date.parse(run.createdAt),
      state: run.state,
      document: JSON.stringify(document),
      wish: JSON.stringify(wish),
      furthest,
      failure: failure === null ? null : JSON.stringify(failure),
      failed_log: failedLog === null ? null : sealer.seal(failedLog, `runs/${run.id}/failed_log`),
      old_log: oldLog === null ? null : sealer.seal(oldLog, `runs/${run.id}/old_log`),
      kept_image: keptImage,
    };
  }

  function storedOf(row: RunRow): StoredRun {
    const document = JSON.parse(row.document) as Omit<Run, 'failedLog' | 'oldLog'>;
    const failedLog = row.failed_log === null ? null : openOr(row.failed_log, `runs/${row.id}/failed_log`);
    const oldLog = row.old_log === null ? null : openOr(row.old_log, `runs/${row.id}/old_log`);
    return {
      run: { ...document, failedLog, oldLog },
      wish: JSON.parse(row.wish) as Wish,
      furthest: row.furthest as RunPhase,
      failure: row.failure === null ? null : (JSON.parse(row.failure) as Failure),
      keptImage: row.kept_image,
    };
  }

  /** A log that cannot be opened (another key) must not hide the run. */
  function openOr(sealed: string, context: string): string | null {
    return sealer.locked === undefined ? sealer.open(sealed, context) : null;
  }

  const factsContext = (run: string, position: number) => `run_members/${run}.${position}/facts`;
  const progressContext = (run: string, position: number) => `run_members/${run}.${position}/progress`;
  const record = (run: string, { phase, event, text }: JournalRecord) =>
    insertRecord.run({ run, at: now(), phase, event, text });

  return {
    insert: (stored) =>
      durably(`queued ${stored.run.id}`, () => {
        insertRun.run(rowOf(stored));
        record(stored.run.id, { phase: 'PLANNED', event: 'note', text: 'asked for' });
      }),
    write: (stored, entry, members = []) => {
      const { id } = stored.run;
      durably(`${entry.phase} ${entry.event} ${entry.text}`, () => {
        updateRun.run(rowOf(stored));
        for (const { position, progress } of members) {
          const sealed = sealer.seal(JSON.stringify(progress), progressContext(id, position));
          updateMember.run({ run: id, position, progress: sealed });
        }
        record(id, entry);
      });
    },
    plan: (stored, members) => {
      const { id } = stored.run;
      durably('PLANNED', () => {
        updateRun.run(rowOf(stored));
        for (const [position, { progress, ...facts }] of members.entries()) {
          insertMember.run({
            run: id,
            position,
            facts: sealer.seal(JSON.stringify(facts), factsContext(id, position)),
            progress: sealer.seal(JSON.stringify(progress), progressContext(id, position)),
          });
        }
        record(id, { phase: 'PLANNED', event: 'done', text: 'facts and plan are on the disk' });
      });
    },
    members: (run) =>
      withDatabaseFaults(() => selectMembers.all(run)).map((row) => ({
        ...(JSON.parse(sealer.open(row.facts, factsContext(run, row.position))) as Member),
        progress:
          row.progress === null
            ? emptyProgress
            : (JSON.parse(sealer.open(row.progress, progressContext(run, row.position))) as MemberProgress),
      })),
    records: (run) =>
      selectRecords.all(run).map((row) => ({
        at: row.at,
        phase: row.phase as RunPhase,
        event: row.event as JournalRecord['event'],
        text: row.text,
      })),
    get: (run) => {
      const row = withDatabaseFaults(() => selectRun.get(run));
      return row && storedOf(row);
    },
    all: () => withDatabaseFaults(() => selectRuns.all()).map(storedOf),
    forgetMembers: (run) => void withDatabaseFaults(() => deleteMembers.run(run)),
    remove: (runs) =>
      withDatabaseFaults(() =>
        raw
          .transaction(() => {
            for (const run of runs) deleteRun.run(run);
          })
          .immediate(),
      ),
  };
}

/** What the journal-driven parts (recovery, executor) see of a stored run. */
export function journalRun(stored: StoredRun, members: readonly JournalMember[]): JournalRun {
  return {
    id: stored.run.id,
    wish: stored.wish,
    strategy: stored.run.strategy,
    phase: stored.run.phase,
    furthest: stored.furthest,
    failure: stored.failure,
    members,
  };
}
