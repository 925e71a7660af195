import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { openDataFolder } from './data-folder.ts';
import { copyDatabase, restoreDatabase, withFolderAlone } from './database-copy.ts';
import type { Migrations } from './store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-copy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const first: Migrations = {
  '2026-01-01-notes-1': { up: async (db) => void (await sql`CREATE TABLE notes (text TEXT) STRICT`.execute(db)) },
};
const second: Migrations = {
  ...first,
  '2026-02-01-notes-2': { up: async (db) => void (await sql`ALTER TABLE notes ADD COLUMN at TEXT`.execute(db)) },
};

async function note(text: string, migrations: Migrations): Promise<void> {
  const { store, close } = await openDataFolder(folder, migrations);
  store.raw.prepare('INSERT INTO notes (text) VALUES (?)').run(text);
  await close();
}

async function notes(migrations: Migrations): Promise<string[]> {
  const { store, close } = await openDataFolder(folder, migrations);
  const rows = store.raw.prepare<[], { text: string }>('SELECT text FROM notes').all();
  await close();
  return rows.map(({ text }) => text);
}

test('a database that a newer version has changed is put back for the older one', async () => {
  await note('before', first);
  copyDatabase(folder, 'copy.db');
  await note('by the newer', second);
  await expect(openDataFolder(folder, first)).rejects.toThrow(/newer Evenkeel/);
  expect(restoreDatabase(folder, 'copy.db')).toBe(true);
  expect(await notes(first)).toEqual(['before']);
  expect(restoreDatabase(folder, 'copy.db'), 'once').toBe(false);
});

test('what the same version has written meanwhile is kept', async () => {
  await note('before', first);
  copyDatabase(folder, 'copy.db');
  await note('meanwhile', first);
  expect(restoreDatabase(folder, 'copy.db')).toBe(false);
  expect(await notes(first)).toEqual(['before', 'meanwhile']);
});

test('without a copy nothing is put back', async () => {
  await note('before', first);
  expect(restoreDatabase(folder, 'copy.db')).toBe(false);
  expect(readdirSync(folder).filter((name) => name.includes('copy'))).toEqual([]);
});

test('it waits for the server that has the folder, and gives up after a while', async () => {
  const { close } = await openDataFolder(folder, first);
  const { signal } = new AbortController();
  const done: string[] = [];
  const work = () => void done.push('worked');
  await expect(withFolderAlone(folder, { clock: systemClock, signal, patienceMs: 0 }, work)).rejects.toThrow(
    /Another Evenkeel is running/,
  );
  const waiting = withFolderAlone(folder, { clock: systemClock, signal, patienceMs: 60_000 }, work);
  await close();
  await waiting;
  expect(done).toEqual(['worked']);
});
