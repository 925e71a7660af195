import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { databaseName, openDataFolder } from './data-folder.ts';
import { databaseFault } from './database-fault.ts';
import type { Migrations } from './store.ts';

interface Tables {
  note: { id: string; text: string };
}

const migrations: Migrations = {
  '2026-01-01-note-1': {
    up: async (db) => {
      await db.schema
        .createTable('note')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('text', 'text')
        .execute();
    },
  },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-data-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function fill(rows: number): Promise<void> {
  const data = await openDataFolder(folder, migrations);
  for (let row = 0; row < rows; row += 1) {
    await data.store
      .tables<Tables>()
      .insertInto('note')
      .values({ id: String(row), text: 'x'.repeat(1000) })
      .execute();
  }
  data.store.raw.pragma('wal_checkpoint(TRUNCATE)');
  await data.close();
}

test('what was written is there at the next start, and only the first start is fresh', async () => {
  const first = await openDataFolder(folder, migrations);
  expect(first.fresh).toBe(true);
  await first.store.tables<Tables>().insertInto('note').values({ id: 'a', text: 'kept' }).execute();
  await first.close();
  const second = await openDataFolder(folder, migrations);
  expect(second.fresh).toBe(false);
  expect(await second.store.tables<Tables>().selectFrom('note').select('text').execute()).toEqual([{ text: 'kept' }]);
  await second.close();
});

test('a second server on the same folder is refused with a sentence, and is let in once the first has gone', async () => {
  const first = await openDataFolder(folder, migrations);
  await expect(openDataFolder(folder, migrations)).rejects.toThrow(/Another Evenkeel is running on the data folder/);
  await first.close();
  await (await openDataFolder(folder, migrations)).close();
});

test('the lease of a killed server is free at once', async () => {
  const program = `
    import { openDataFolder } from ${JSON.stringify(join(import.meta.dirname, 'data-folder.ts'))};
    await openDataFolder(${JSON.stringify(folder)}, {});
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
  expect(child.signal).toBe('SIGKILL');
  await (await openDataFolder(folder, migrations)).close();
});

test('a damaged database is shown, not overwritten, and the notice says how to restore', async () => {
  await fill(50);
  const file = openSync(join(folder, databaseName), 'r+');
  writeSync(file, Buffer.alloc(8192, 0xff), 0, 8192, 40_960);
  const data = await openDataFolder(folder, migrations);
  expect(data.store.readOnly).toBe(true);
  expect(data.notice).toMatchObject({ code: 'database_damaged', severity: 'error' });
  expect(data.notice?.remedy).toContain('backup');
  // Rows before and behind the damage are still there.
  const ids = await data.store.tables<Tables>().selectFrom('note').select('id').execute();
  expect(ids.length).toBeGreaterThan(10);
  expect(ids.length).toBeLessThan(50);
  await data.close();
});

test('a file that is no database at all starts read-only and is left alone', async () => {
  writeFileSync(join(folder, databaseName), 'this is not a database'.repeat(100));
  const data = await openDataFolder(folder, migrations);
  expect(data.notice?.code).toBe('database_damaged');
  await data.close();
  expect(readdirSync(folder)).toContain(databaseName);
});

test('a database in a folder that cannot be written is shown from memory', async () => {
  await fill(3);
  const program = `
    import { openDataFolder } from ${JSON.stringify(join(import.meta.dirname, 'data-folder.ts'))};
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
    const data = await openDataFolder(${JSON.stringify(folder)}, { '2026-01-01-note-1': { up: async () => {} } });
    const rows = data.store.raw.prepare('select count(*) as n from note').get();
    console.log(JSON.stringify({ readOnly: data.store.readOnly, code: data.notice?.code, rows: rows.n }));
    await data.close();`;
  chmodSync(folder, 0o555);
  chmodSync(join(folder, databaseName), 0o444);
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(JSON.parse(child.stdout || JSON.stringify(child.stderr))).toEqual({
    readOnly: true,
    code: 'database_read_only',
    rows: 3,
  });
});

test('a full disk is a fault that says that nothing was changed', async () => {
  const data = await openDataFolder(folder, migrations);
  data.store.raw.pragma(`max_page_count = ${data.store.raw.pragma('page_count', { simple: true }) as number}`);
  const insert = data.store
    .tables<Tables>()
    .insertInto('note')
    .values({ id: 'big', text: 'x'.repeat(100_000) });
  const error = await insert.execute().catch((thrown: unknown) => thrown);
  expect(databaseFault(error)).toMatchObject({ code: 'disk_full', status: 507 });
  expect(await data.store.tables<Tables>().selectFrom('note').selectAll().execute()).toEqual([]);
  await data.close();
});

test('a database of a newer version stops the start with a sentence', async () => {
  await fill(1);
  await expect(openDataFolder(folder, {})).rejects.toThrow(/written by a newer Evenkeel/);
});

test('a database that another program holds stops the start with a sentence and is not called damaged', async () => {
  await fill(1);
  const other = new Database(join(folder, databaseName));
  other.pragma('locking_mode = EXCLUSIVE');
  other.exec('BEGIN EXCLUSIVE');
  try {
    await expect(openDataFolder(folder, migrations, { busyMilliseconds: 10 })).rejects.toThrow(
      /another program uses the database/i,
    );
  } finally {
    other.close();
  }
  await (await openDataFolder(folder, migrations)).close();
});

test('a database file that cannot be opened is not called damaged: nobody is told to delete anything', async () => {
  mkdirSync(join(folder, databaseName));
  const data = await openDataFolder(folder, migrations);
  expect(data.store.readOnly).toBe(true);
  expect(data.notice).toMatchObject({ code: 'database_unreachable', severity: 'error' });
  expect(`${data.notice?.text} ${data.notice?.remedy}`).not.toMatch(/damaged|backup|delete/);
  await data.close();
});

test('nobody else on the machine can read the files, also in a folder that was there before', async () => {
  chmodSync(folder, 0o755);
  await fill(1);
  chmodSync(join(folder, databaseName), 0o644);
  const data = await openDataFolder(folder, migrations);
  await data.store.tables<Tables>().insertInto('note').values({ id: 'b', text: 'x' }).execute();
  expect(existsSync(join(folder, `${databaseName}-wal`))).toBe(true);
  for (const name of readdirSync(folder)) expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
  await data.close();
});

test('a store says what cannot be changed, and why', async () => {
  await fill(1);
  const good = await openDataFolder(folder, migrations);
  good.store.requireWritable('Nothing can be changed');
  await good.close();
  writeFileSync(join(folder, databaseName), 'this is not a database'.repeat(100));
  const bad = await openDataFolder(folder, migrations);
  expect(() => bad.store.requireWritable('The settings cannot be changed')).toThrow(
    expect.objectContaining({ code: 'read_only', message: expect.stringMatching(/^The settings cannot be changed: /) }),
  );
  await bad.close();
});
