import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Operation } from '@evenkeel/contract';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { Fault } from '../platform/fault.ts';
import { systemActor } from '../platform/http/actor.ts';
import { silentLog } from '../platform/log/create-log.ts';
import { openMemoryStore, openStore, type Store } from '../platform/store/store.ts';
import { createOperations, type OperationRequest, type OperationsWithLog, operationsMigrations } from './index.ts';

let folder: string;
let store: Store;
let operations: OperationsWithLog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-operations-'));
  await begin();
});
afterEach(async () => {
  await operations.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

async function begin(): Promise<void> {
  store = await openStore(join(folder, 'test.db'), { migrations: operationsMigrations });
  operations = createOperations({ store, clock: systemClock, log: silentLog() });
}

async function restart(): Promise<void> {
  await operations.close();
  await store.close();
  await begin();
}

function asked(part: Partial<OperationRequest> = {}): OperationRequest {
  return {
    kind: 'update',
    title: 'Update web',
    host: 'local',
    targets: ['web'],
    locks: [],
    actor: { ...systemActor, name: 'anna' },
    cancellable: true,
    work: async () => 'Done.',
    ...part,
  };
}

/** Work that lasts until it is let go, or is aborted. */
function held() {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { promise: begun, resolve: begins } = Promise.withResolvers<void>();
  const work: OperationRequest['work'] = ({ signal }) =>
    new Promise((done, fail) => {
      begins();
      promise.then(done);
      signal.addEventListener('abort', () => fail(signal.reason));
    });
  return { work, begun, letGo: () => resolve('Done.') };
}

const states = () => [...operations.collection.values()].map(({ title, state }) => `${title}: ${state}`);
const refusal = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as Fault).code;
  }
  return 'no refusal';
};

test('a lock that is held without an operation refuses others for as long, whatever the end of its work', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const stopping = operations.hold(['local/web', 'local/db'], 'Stop web', () => promise);
  const wanted = asked({ locks: ['local/web'] });
  expect(() => operations.start(wanted)).toThrow('"Stop web" is at work on local/web');
  await expect(operations.hold(['local/db'], 'Stop db', async () => {})).rejects.toMatchObject({ code: 'busy' });
  expect(operations.collection.size).toBe(0);
  resolve('stopped');
  expect(await stopping).toBe('stopped');
  const failing = operations.hold(['local/web'], 'Stop web', () => Promise.reject(new Error('refused')));
  await expect(failing).rejects.toThrow('refused');
  const { work, letGo } = held();
  const running = operations.start({ ...wanted, work });
  await expect(operations.hold(['local/web'], 'Stop web', async () => {})).rejects.toThrow('"Update web" is at work');
  letGo();
  await operations.finished(running.id);
  await operations.hold(['local/web'], 'Stop web', async () => {});
});

describe('an operation', () => {
  test('is on disk before its work begins', async () => {
    let onDisk: unknown;
    const { id } = operations.start(
      asked({
        work: async (context) => {
          onDisk = store.raw.prepare('SELECT finished FROM operations WHERE id = ?').get(context.id);
          return 'Done.';
        },
      }),
    );
    await operations.finished(id);
    expect(onDisk).toEqual({ finished: 0 });
  });

  test('shows progress and result, and keeps its log over a restart', async () => {
    const seen: string[] = [];
    operations.collection.subscribe(({ changes }) => {
      for (const change of changes) if (change.op === 'put') seen.push((change.item as Operation).state);
    });
    const { id, state } = operations.start(
      asked({
        work: async (context) => {
          context.progress({ done: 1, total: 2, text: 'half' });
          context.log('info', 'one');
          context.log('warn', 'two\nlines');
          return 'Replaced.';
        },
      }),
    );
    expect(state).toBe('queued');
    expect(await operations.finished(id)).toMatchObject({
      state: 'succeeded',
      summary: 'Replaced.',
      cancellable: false,
      actor: 'anna',
      progress: { done: 1, total: 2, text: 'half' },
    });
    expect(seen).toEqual(['queued', 'running', 'succeeded']);
    await restart();
    expect(operations.get(id)?.state).toBe('succeeded');
    expect(operations.log(id).map(({ level, text }) => `${level} ${text}`)).toEqual(['info one', 'warn two\nlines']);
  });

  test('that fails says why; an error of ours says nothing of its own', async () => {
    const fails = operations.start(
      asked({ work: async () => Promise.reject(new Fault('registry_sick', 'The registry is down.')) }),
    );
    const breaks = operations.start(asked({ work: async () => Promise.reject(new Error('secret')) }));
    expect((await operations.finished(fails.id)).error).toEqual({
      code: 'registry_sick',
      detail: 'The registry is down.',
    });
    const { state, error } = await operations.finished(breaks.id);
    expect([state, error?.code]).toEqual(['failed', 'internal']);
    expect(error?.detail).not.toContain('secret');
  });

  test('an endless log is cut', async () => {
    const { id } = operations.start(
      asked({
        work: async ({ log }) => {
          for (let line = 0; line < 6000; line += 1) log('info', 'x'.repeat(5000));
          return 'Done.';
        },
      }),
    );
    await operations.finished(id);
    const lines = operations.log(id);
    expect(lines.length).toBe(5001);
    expect(lines.at(-1)?.text).toMatch(/full/);
    expect(lines[0]?.text.length).toBe(4000);
  });
});

describe('locks and lanes', () => {
  test('a taken lock refuses with who holds it, and is free when that has finished', async () => {
    const first = held();
    const { id } = operations.start(asked({ title: 'Update web', locks: ['local/web', 'local/db'], work: first.work }));
    const again = () => operations.start(asked({ title: 'Again', locks: ['local/db'] }));
    expect(again).toThrow(/"Update web" is at work on local\/db/);
    expect(refusal(again)).toBe('busy');
    operations.start(asked({ locks: ['local/other'] }));
    first.letGo();
    await operations.finished(id);
    expect((await operations.finished(again().id)).state).toBe('succeeded');
  });

  test('a lane runs so many at once and the others in order', async () => {
    const lane = { name: 'local', limit: 2 };
    const works = [held(), held(), held(), held()];
    const ids = works.map(({ work }, n) => operations.start(asked({ title: `${n}`, lane, work })).id);
    const free = operations.start(asked({ title: 'other lane', lane: { name: 'far', limit: 1 } }));
    await operations.finished(free.id);
    expect(states()).toEqual(['0: running', '1: running', '2: queued', '3: queued', 'other lane: succeeded']);
    works[1]?.letGo();
    await works[2]?.begun;
    expect(states()[3]).toBe('3: queued');
    for (const { letGo } of works) letGo();
    for (const id of ids) expect((await operations.finished(id)).state).toBe('succeeded');
  });
});

test('a lane that is full refuses more with when to try again', async () => {
  const lane = { name: 'check', limit: 1, longest: 2 };
  const works = [held(), held(), held()];
  for (const { work } of works) operations.start(asked({ lane, work }));
  expect(refusal(() => operations.start(asked({ lane })))).toBe('too_many_requests');
  for (const { letGo } of works) letGo();
  await vi.waitFor(() => expect(states().filter((state) => state.endsWith('queued'))).toEqual([]), 30_000);
  operations.start(asked({ lane }));
});

describe('cancelling', () => {
  test('ends the work, frees its locks and says who did it', async () => {
    const { work, begun } = held();
    const { id } = operations.start(asked({ locks: ['a'], work }));
    await begun;
    operations.cancel(id, { ...systemActor, name: 'bert' });
    expect(await operations.finished(id)).toMatchObject({ state: 'cancelled', summary: 'Cancelled by bert.' });
    operations.start(asked({ locks: ['a'] }));
    expect(refusal(() => operations.cancel(id, systemActor))).toBe('conflict');
    expect(refusal(() => operations.cancel('unknown', systemActor))).toBe('not_found');
  });

  test('is refused where it is no longer safe', async () => {
    const { work, begun, letGo } = held();
    const { id } = operations.start(
      asked({
        work: (context) => {
          context.setCancellable(false);
          return work(context);
        },
      }),
    );
    await begun;
    expect(refusal(() => operations.cancel(id, systemActor))).toBe('conflict');
    letGo();
    expect((await operations.finished(id)).state).toBe('succeeded');
  });

  test('one that waits never begins, and the next in the lane does', async () => {
    const lane = { name: 'local', limit: 1 };
    const first = held();
    operations.start(asked({ lane, work: first.work }));
    let began = false;
    const waiting = operations.start(
      asked({
        lane,
        work: async () => {
          began = true;
          return '';
        },
      }),
    );
    const last = operations.start(asked({ lane }));
    operations.cancel(waiting.id, systemActor);
    expect((await operations.finished(waiting.id)).state).toBe('cancelled');
    first.letGo();
    expect((await operations.finished(last.id)).state).toBe('succeeded');
    expect(began).toBe(false);
  });
});

describe('a restart', () => {
  test('leaves what was at work unfinished: its owner resumes it under the same id, the rest is given up', async () => {
    const [running, queued] = [held(), held()];
    const lane = { name: 'local', limit: 1 };
    const one = operations.start(asked({ title: 'one', lane, work: running.work }));
    const two = operations.start(asked({ title: 'two', lane, work: queued.work }));
    await running.begun;
    await restart();
    expect(operations.unfinished().map(({ id }) => id)).toEqual([one.id, two.id]);
    operations.resume(one.id, asked({ title: 'one', locks: ['x'], work: async () => 'Finished after all.' }));
    expect(refusal(() => operations.resume(one.id, asked()))).toBe('conflict');
    operations.abandonRest();
    expect(await operations.finished(one.id)).toMatchObject({ state: 'succeeded', createdAt: one.createdAt });
    expect(await operations.finished(two.id)).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
    await restart();
    expect(operations.unfinished()).toEqual([]);
  });

  test('tells the work that the server is stopping, and starts nothing more', async () => {
    let told = false;
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    operations.start(
      asked({
        work: ({ signal, stopping }) =>
          new Promise((_done, fail) => {
            resolve();
            signal.addEventListener('abort', () => {
              told = stopping();
              fail(signal.reason);
            });
          }),
      }),
    );
    await begun;
    await operations.close();
    expect(told).toBe(true);
    expect(refusal(() => operations.start(asked()))).toBe('conflict');
  });
});

describe('the database', () => {
  test('when it is full, nothing is started', () => {
    fillDisk();
    expect(refusal(() => operations.start(asked({ title: 'x'.repeat(10_000) })))).toBe('disk_full');
    expect(operations.collection.size).toBe(0);
  });

  test('that fills while an operation is at work does not lose its end', async () => {
    const { work, begun, letGo } = held();
    const { id } = operations.start(asked({ work }));
    await begun;
    store.raw.exec("CREATE TRIGGER full BEFORE UPDATE ON operations BEGIN SELECT RAISE(ABORT, 'full'); END");
    letGo();
    expect((await operations.finished(id)).state).toBe('succeeded');
    store.raw.exec('DROP TRIGGER full');
    await restart();
    expect(operations.get(id)?.state).toBe('succeeded');
    expect(operations.unfinished()).toEqual([]);
  });

  test('that cannot be written starts nothing and shows what there was', async () => {
    const { id } = operations.start(asked());
    await operations.finished(id);
    const shown = await openMemoryStore(store.raw.serialize(), { migrations: operationsMigrations, readOnly: true });
    const others = createOperations({ store: shown, clock: systemClock, log: silentLog() });
    expect(others.get(id)?.state).toBe('succeeded');
    expect(refusal(() => others.start(asked()))).toBe('read_only');
    await others.close();
    await shown.close();
  });

  test('the newest 500 are shown, those at work always', async () => {
    const { work, letGo } = held();
    const first = operations.start(asked({ title: 'long', work }));
    for (let n = 0; n < 510; n += 1) await operations.finished(operations.start(asked({ title: `${n}` })).id);
    expect(operations.collection.size).toBe(500);
    expect(operations.collection.get(first.id)?.state).toBe('running');
    expect(states().at(-1)).toBe('509: succeeded');
    letGo();
    await operations.finished(first.id);
  });

  test('that is full does not keep a server from starting, and what was left is given up in its records later', async () => {
    const { work, begun } = held();
    const { id } = operations.start(asked({ work }));
    await begun;
    await operations.close();
    store.raw.pragma('query_only = ON');
    operations = createOperations({ store, clock: systemClock, log: silentLog() });
    operations.abandonRest();
    expect(operations.get(id)).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
    expect(store.writing.trouble).toBe('read_only');
    store.raw.pragma('query_only = OFF');
    await restart();
    expect(operations.unfinished()).toEqual([]);
    expect(operations.get(id)).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
  });

  test('keeps more than memory shows, and old ones are forgotten while the server runs', async () => {
    const add = store.raw.prepare('INSERT INTO operations VALUES (?, ?, 1, ?)');
    const { id } = operations.start(asked({ title: 'newest' }));
    const record = JSON.stringify(await operations.finished(id));
    store.raw.transaction(() => {
      for (let n = 0; n < 5200; n += 1)
        add.run(`o${n}`, n + 10, record.replace(id, `o${n}`).replace('newest', `old ${n}`));
    })();
    operations.prune();
    await restart();
    const beyond = [...operations.beyond()];
    expect(operations.collection.size + beyond.length).toBe(5000);
    expect(beyond.map(([key]) => key)).toContain('o300');
    expect(beyond.map(([key]) => key)).not.toContain('o100');
    const next = operations.start(asked({ title: 'one more' }));
    await operations.finished(next.id);
    expect([...operations.beyond()]).toHaveLength(beyond.length + 1);
    const all = new Set([...operations.collection.values()].map((one) => one.id));
    for (const [key] of operations.beyond()) all.add(key);
    expect(all.size).toBe(5001);
  });

  function fillDisk(): void {
    store.raw.pragma(`max_page_count = ${store.raw.pragma('page_count', { simple: true }) as number}`);
  }
});
