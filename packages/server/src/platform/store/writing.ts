import { accessSync, constants, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import { Fault } from '../fault.ts';
import { createListeners } from '../listeners.ts';
import { databaseFault } from './database-fault.ts';

export type WriteTrouble = 'disk_full' | 'read_only';

/** Whether the database can be written at present. What cannot be written today may be written tomorrow, without a restart. */
export interface Writing {
  /** Undefined while all is well. */
  readonly trouble: WriteTrouble | undefined;
  /** Takes note of an error; true when it is one of the disk, which will pass, and not one of ours. */
  report(error: unknown): boolean;
  /** Looks at the disk, and ends a known trouble when a write gets through. Done by itself every few seconds. */
  look(): void;
  onChange(listener: (trouble: WriteTrouble | undefined) => void): () => void;
  close(): void;
}

const lookEveryMilliseconds = 10_000;
/** With less than this the next transaction may not fit. */
const leastFreeBytes = 256 * 1024;

/** `file` is undefined for a store in memory, whose disk there is none of. A read-only store has said so already. */
export function createWriting(
  raw: Database.Database,
  { file, readOnly }: { readonly file: string | undefined; readonly readOnly: boolean },
): Writing {
  const listeners = createListeners<WriteTrouble | undefined>();
  let trouble: WriteTrouble | undefined;
  const timer = file === undefined ? undefined : setInterval(() => look(), lookEveryMilliseconds).unref();

  function set(next: WriteTrouble | undefined): void {
    if (next === trouble || readOnly) return;
    trouble = next;
    listeners.tell(next);
  }

  function look(): void {
    const seen = file === undefined ? undefined : troubleAt(file);
    if (seen !== undefined) set(seen);
    else if (trouble !== undefined && writes(raw)) set(undefined);
  }

  return {
    get trouble() {
      return trouble;
    },
    report(error) {
      const { code } = (error instanceof Fault ? error : databaseFault(error)) ?? {};
      if (code !== 'disk_full' && code !== 'read_only') return false;
      set(code);
      return true;
    },
    look,
    onChange: listeners.add,
    close: () => clearInterval(timer),
  };
}

/** What can be seen without writing. */
export function troubleAt(file: string): WriteTrouble | undefined {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    if (bavail * bsize < leastFreeBytes) return 'disk_full';
    accessSync(file, constants.W_OK);
    return undefined;
  } catch {
    return 'read_only';
  }
}

/** A write of some pages: a single one would find room where a transaction does not. */
function writes(raw: Database.Database): boolean {
  if (raw.inTransaction) return false;
  try {
    raw.exec('CREATE TABLE IF NOT EXISTS write_probe (id INTEGER PRIMARY KEY, filler BLOB)');
    raw.exec('INSERT OR REPLACE INTO write_probe VALUES (1, zeroblob(65536)); DELETE FROM write_probe');
    return true;
  } catch {
    return false;
  }
}
