import { join } from 'node:path';
import { images, waitFor } from '@evenkeel/testbed';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../../packages/server/src/platform/http/actor.ts';
import { openStore } from '../../packages/server/src/platform/store/store.ts';
import { benchMigrations } from './run-bench.ts';
import { type Stage, startStage } from './run-stage.ts';

/** What surrounds a run goes wrong. One after the other: the registry's faults and the journal belong to all of them. */
let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterEach(() => {
  stage.proxy.clear();
  stage.registry.faults.clear();
  stage.bench.store.raw.pragma('query_only = OFF');
  makeRoom();
});
afterAll(() => stage?.stop());

async function ready(prefix: string, options: readonly string[] = []) {
  const name = await stage.started(prefix, options);
  await stage.offer(name, await images.listens({ version: '2', files: [{ path: 'new', content: prefix }] }));
  return { name, before: await stage.show(name, '{{.Id}} {{.State.StartedAt}}') };
}

/** The old one was not even restarted, and nothing else is there. */
async function expectUntouched(name: string, before: string): Promise<void> {
  expect(await stage.show(name, '{{.Id}} {{.State.StartedAt}}')).toBe(before);
  expect(await stage.names(name)).toEqual([name]);
}

/** What was asked of the engine that changes something about the container, by its name or its id (only these calls carry either). */
function changes(name: string, id: string): string[] {
  return stage.proxy.calls.filter((call) => !/^(GET|HEAD) /.test(call) && (call.includes(name) || call.includes(id)));
}

/** Looks on for a while, until the condition has held for as long as work that was only late would have needed to show. */
async function staysSo(condition: () => boolean | Promise<boolean>, describe: string): Promise<void> {
  const until = Date.now() + 3000;
  let held = true;
  const settled = async () => {
    held = await condition();
    return !held || Date.now() > until;
  };
  await waitFor(settled, { timeoutMs: 60_000, describe });
  expect(held, describe).toBe(true);
}

/** No room for another page: what SQLite says on a full disk. */
function fillDisk(): void {
  const { raw } = stage.bench.store;
  raw.pragma('wal_checkpoint(TRUNCATE)');
  raw.exec('CREATE TABLE IF NOT EXISTS filler (content)');
  raw.pragma(`max_page_count = ${raw.pragma('page_count', { simple: true })}`);
  // Until even the free pages within the file are used up, and then the page to which the next record of a run would be added.
  raw.pragma('foreign_keys = OFF');
  const records = "INSERT INTO run_records (run, at, phase, event, text) VALUES ('filler', 0, '', '', '')";
  for (const insert of [4000, 500, 20].map((size) => `INSERT INTO filler VALUES (zeroblob(${size}))`).concat(records)) {
    const fill = raw.prepare(insert);
    for (let full = false; !full; ) {
      try {
        fill.run();
      } catch (error) {
        full = error instanceof Error && error.message.includes('full');
      }
    }
  }
  raw.pragma('foreign_keys = ON');
}

function makeRoom(): void {
  stage.bench.store.raw.pragma('max_page_count = 1073741823');
  stage.bench.store.raw.exec("DROP TABLE IF EXISTS filler; DELETE FROM run_records WHERE run = 'filler'");
}

test('a registry that fails leaves the old container untouched, and the run says who is at fault', async () => {
  const { name, before } = await ready('sick');
  stage.registry.faults.set({ match: /blobs/, status: 500, times: 100 });
  const { run, operation } = await stage.bench.finished(await stage.bench.begin(name));
  expect(run.state).toBe('failed');
  expect(operation.error?.code).toBe('registry_sick');
  expect(run.reason).toMatch(/Pulling .* failed.*not touched/);
  expect(stage.bench.offers.quarantined.map((entry) => entry.name)).not.toContain(name);
  await expectUntouched(name, before);
});

test('a pull that breaks off in the middle of its stream is an error', async () => {
  const { name, before } = await ready('cut');
  stage.registry.faults.set({ match: /GET .*blobs/, cutAfterBytes: 10, times: 100 });
  expect((await stage.bench.update(name)).state).toBe('failed');
  await expectUntouched(name, before);
});

test('an update is cancelled while it pulls, and not any more once the old container is being stopped', async () => {
  const { name, before } = await ready('cancel');
  stage.registry.faults.set({ match: /blobs/, delayMs: 20_000, times: 100 });
  const run = await stage.bench.begin(name);
  await waitFor(() =>
    stage.bench.runs.find(run).steps.some(({ text, state }) => /^pull/.test(text) && state === 'running'),
  );
  stage.bench.operations.cancel(run, systemActor);
  const { run: ended, operation } = await stage.bench.finished(run);
  expect([ended.state, operation.state]).toEqual(['cancelled', 'cancelled']);
  await expectUntouched(name, before);
  stage.registry.faults.clear();
  const second = await stage.bench.begin(name, { gate: { seconds: 3 } });
  await stage.phase(second, 'VERIFYING');
  expect(() => stage.bench.operations.cancel(second, systemActor)).toThrow(/cannot be cancelled/);
  expect((await stage.bench.finished(second)).run.state).toBe('committed');
});

test('F38: a host port that is taken while the container is stopped: loud, retried, never two', async () => {
  const { name } = await ready('port', ['-p', '127.78.0.2:8080:80', '--restart', 'always']);
  const id = await stage.show(name, '{{.Id}}');
  const image = await stage.show(name, '{{.Config.Image}}');
  const thief = `${name}-thief`;
  const steal = () => stage.docker.docker('run', '-d', '--name', thief, '-p', '127.78.0.2:8080:80', image);
  stage.proxy.intercept(
    new RegExp(`POST /containers/${id}/stop`),
    { after: async () => void (await steal()) },
    { times: 1 },
  );
  const run = await stage.bench.begin(name);
  const seen = () => stage.bench.runs.find(run);
  await waitFor(() => seen().reason?.includes('Going back is not finished'), {
    timeoutMs: 60_000,
    describe: 'the alarm',
  });
  expect(seen().state).toBe('rolling-back');
  expect(seen().reason).toMatch(/port is already allocated|address already in use/);
  expect(await stage.names(name)).toEqual([name, thief]);
  await stage.docker.docker('rm', '-f', thief);
  const { run: ended } = await stage.bench.finished(run);
  expect(ended.state).toBe('rolled-back');
  expect(await stage.show(name, '{{.Id}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}}')).toBe(
    `${id} true always`,
  );
  expect(stage.bench.offers.quarantined.map((entry) => entry.name)).not.toContain(name);
});

test('a reply that is lost is no reason to do a thing twice, or to give up', async () => {
  const { name } = await ready('lost', ['--restart', 'always']);
  const id = await stage.show(name, '{{.Id}}');
  for (const call of [
    `create\\?name=${name}`,
    `${id}/update`,
    `${id}/stop`,
    `rename\\?name=${name}$`,
    `DELETE .*${id}`,
  ])
    stage.proxy.cutAfterRequest(new RegExp(call), { times: 1 });
  const run = await stage.bench.update(name);
  expect(run).toMatchObject({ state: 'committed' });
  expect(await stage.names(name)).toEqual([name]);
  expect(await stage.show(name, '{{.State.Running}} {{.HostConfig.RestartPolicy.Name}}')).toBe('true always');
});

test('with a full disk no engine call is made, and the answer says so', async () => {
  const { name, before } = await ready('full');
  await stage.bench.hosts.refresh('local', name);
  fillDisk();
  await expect(stage.bench.begin(name)).rejects.toMatchObject({ code: 'disk_full' });
  const [id = ''] = before.split(' ');
  await staysSo(() => changes(name, id).length === 0, 'nothing is asked of the engine');
  await expectUntouched(name, before);
});

test('a journal that cannot be written refuses updates and says so', async () => {
  const { name, before } = await ready('locked');
  stage.bench.store.raw.pragma('query_only = ON');
  await expect(stage.bench.begin(name)).rejects.toMatchObject({ code: 'read_only' });
  const [id = ''] = before.split(' ');
  await staysSo(() => changes(name, id).length === 0, 'nothing is asked of the engine');
  await expectUntouched(name, before);
});

/** The journal fails right after the replacement was created: before anything is taken away. */
async function failsInTheMiddle(prefix: string, fail: () => void, repair: () => void): Promise<void> {
  const { name, before } = await ready(prefix, ['--restart', 'always']);
  const [id = ''] = before.split(' ');
  const created = new RegExp(`create\\?name=${name}`);
  stage.proxy.intercept(created, { after: fail }, { times: 1 });
  const run = await stage.bench.begin(name);
  await waitFor(() => stage.bench.operations.log(run).some(({ text }) => /journal cannot be written/.test(text)), {
    timeoutMs: 60_000,
    describe: 'the run to notice the journal',
  });
  const calls = changes(name, id);
  expect(calls.some((call) => call.startsWith('POST /containers/create'))).toBe(true);
  expect(calls.filter((call) => /\/(update|stop|rename|start)\b|^DELETE/.test(call))).toEqual([]);
  await staysSo(() => changes(name, id).length === calls.length, 'nothing more is asked of the engine');
  expect(await stage.show(name, '{{.Id}} {{.State.StartedAt}}')).toBe(before);
  repair();
  const { run: ended } = await stage.bench.finished(run);
  expect(ended.state).toBe('rolled-back');
  await expectUntouched(name, before);
  expect(await stage.show(name, '{{.HostConfig.RestartPolicy.Name}}')).toBe('always');
}

test('a disk that fills up in the middle of a run: nothing more is done until there is room, then it goes back', () =>
  failsInTheMiddle('middle', fillDisk, makeRoom));

test('a database that another program holds for long: nothing more is done until it lets go, then the run goes back', async () => {
  const other = await openStore(join(stage.bench.folder, 'evenkeel.db'), { migrations: benchMigrations });
  stage.bench.store.raw.pragma('busy_timeout = 100');
  try {
    await failsInTheMiddle(
      'busy',
      () => void other.raw.exec('BEGIN IMMEDIATE'),
      () => void other.raw.exec('ROLLBACK'),
    );
  } finally {
    stage.bench.store.raw.pragma('busy_timeout = 5000');
    await other.close();
  }
});
