import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSettings } from '@evenkeel/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../platform/log/create-log.ts';
import { openMemoryStore, openStore, type Store } from '../platform/store/store.ts';
import { createSettings, settingsMigrations } from './index.ts';

let folder: string;
let store: Store;
const open = () => openStore(join(folder, 'test.db'), { migrations: settingsMigrations });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-settings-'));
  store = await open();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

test('a patch changes what it names, tells the listeners, and is there after a restart', async () => {
  const settings = createSettings({ store, log: silentLog() });
  expect(settings.current()).toEqual(defaultSettings);
  const seen: number[] = [];
  const stop = settings.onChange(({ gateSeconds }) => seen.push(gateSeconds));
  settings.change({ gateSeconds: 3, lookForTags: 'always' });
  stop();
  settings.change({ keepImages: 5 });
  expect(seen).toEqual([3]);
  await store.close();
  store = await open();
  expect(createSettings({ store, log: silentLog() }).current()).toEqual({
    ...defaultSettings,
    gateSeconds: 3,
    lookForTags: 'always',
    keepImages: 5,
  });
});

test('a stored value that no longer fits gives way to the default', () => {
  store.raw.prepare(`INSERT INTO settings VALUES ('gateSeconds', '"soon"'), ('gone', '1')`).run();
  expect(createSettings({ store, log: silentLog() }).current()).toEqual(defaultSettings);
});

test('on a full disk nothing is changed, for nobody', () => {
  const settings = createSettings({ store, log: silentLog() });
  fillDisk(store);
  const seen: unknown[] = [];
  settings.onChange((changed) => seen.push(changed));
  expect(() => settings.change({ keepImages: 5 })).toThrow(expect.objectContaining({ code: 'disk_full' }));
  expect(settings.current()).toEqual(defaultSettings);
  expect(seen).toEqual([]);
});

test('with a database that cannot be written a change is refused', async () => {
  const shown = await openMemoryStore(store.raw.serialize(), { migrations: settingsMigrations, readOnly: true });
  const settings = createSettings({ store: shown, log: silentLog() });
  expect(() => settings.change({ keepImages: 5 })).toThrow(expect.objectContaining({ code: 'read_only' }));
  expect(settings.current()).toEqual(defaultSettings);
  await shown.close();
});

/** Leaves not one free byte in the database, and lets it take no further page. */
function fillDisk({ raw }: Store): void {
  const pages = raw.pragma('page_count', { simple: true }) as number;
  raw.pragma(`max_page_count = ${pages}`);
  const add = raw.prepare('INSERT INTO settings VALUES (?, ?)');
  for (let size = 4000; size > 0; size = Math.floor(size / 2)) {
    try {
      for (let number = 0; ; number += 1) add.run(`${size}-${number}`, 'x'.repeat(size));
    } catch {
      // Smaller pieces may still fit.
    }
  }
}
