import {
  images,
  loadImage,
  pushImage,
  sharedEngine,
  sharedRegistry,
  type TestEngine,
  uniqueName,
  waitFor,
} from '@evenkeel/testbed';
import { pino } from 'pino';
import { extract, pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../packages/server/src/platform/engine/create-engine.ts';
import type { Engine, LogChunk, LogOptions } from '../../packages/server/src/platform/engine/engine.ts';

let testEngine: TestEngine;
let engine: Engine;
const made: string[] = [];
const sleeper = uniqueName('sleeper');
const talker = uniqueName('talker');

beforeAll(async () => {
  testEngine = await sharedEngine();
  engine = createEngine({ endpoint: testEngine.url, log: pino({ level: 'silent' }) });
  await loadImage(testEngine, await images.sleeper({ labels: { for: sleeper } }), `${sleeper}:1`);
  await loadImage(testEngine, await images.logsLines({ lines: 6, labels: { for: talker } }), `${talker}:1`);
});

afterAll(async () => {
  for (const name of made) await engine.containers.remove(name, { force: true, volumes: true });
  await engine.images.remove(`${sleeper}:1`);
  await engine.images.remove(`${talker}:1`);
  await engine.close();
  await testEngine.stop();
});

async function create(image: string, more: { Tty?: boolean; Cmd?: string[] } = {}): Promise<string> {
  const name = uniqueName('engine');
  made.push(name);
  await engine.containers.create(name, { Image: image, ...more, HostConfig: {} });
  return name;
}

async function lines(name: string, options: Partial<LogOptions> = {}): Promise<LogChunk[]> {
  const found: LogChunk[] = [];
  for await (const line of engine.containers.logs(name, { follow: false, tty: false, ...options })) found.push(line);
  return found;
}

async function collect(chunks: AsyncIterable<unknown> | Iterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(parts);
}

/** All lines, once there are six of them. */
function sixLines(name: string, options: Partial<LogOptions> = {}): Promise<LogChunk[]> {
  return waitFor(async () => {
    const found = await lines(name, options);
    return found.length === 6 ? found : undefined;
  });
}

test('a container lives from create to remove, and each repeated call is answered the same', async () => {
  const name = await create(`${sleeper}:1`);
  await expect(create(`${sleeper}:none`)).rejects.toMatchObject({ status: 404 });
  await engine.containers.start(name);
  await engine.containers.start(name);
  const inspect = await engine.containers.inspect(name);
  expect(inspect).toMatchObject({ Name: `/${name}`, State: { Running: true } });
  expect((await engine.containers.list()).map(({ Id }) => Id)).toContain(inspect?.Id);
  await engine.containers.update(name, { RestartPolicy: { Name: 'always' } });
  const ended = engine.containers.wait(name, 'not-running');
  await engine.containers.stop(name, { timeoutSeconds: 5 });
  await engine.containers.stop(name, { timeoutSeconds: 5 });
  expect((await ended).exitCode).toBeTypeOf('number');
  const renamed = uniqueName('engine');
  made.push(renamed);
  await engine.containers.rename(name, renamed);
  const after = await engine.containers.inspect(renamed);
  expect(after).toMatchObject({ Id: inspect?.Id, HostConfig: { RestartPolicy: { Name: 'always' } } });
  expect(await engine.containers.inspect(name)).toBeUndefined();
  await engine.containers.remove(renamed);
  await engine.containers.remove(renamed);
  expect(await engine.containers.wait(renamed, 'removed')).toEqual({ exitCode: undefined });
});

test('a file comes out of a container as it was put in', async () => {
  const name = await create(`${sleeper}:1`);
  const tape = pack();
  tape.entry({ name: 'hello', mode: 0o640, uid: 7, gid: 8 }, 'hello world');
  tape.finalize();
  const packed = await collect(tape);
  await engine.containers.putArchive(name, '/', new Blob([new Uint8Array(packed)]).stream());
  expect(await engine.containers.changes(name)).toContainEqual({ path: '/hello', kind: 'added' });
  const unpack = extract();
  unpack.end(await collect((await engine.containers.getArchive(name, '/hello')) ?? []));
  const seen: unknown[] = [];
  for await (const entry of unpack) {
    const { name: file, mode = 0, uid, gid } = entry.header;
    seen.push({ file, mode: mode & 0o7777, uid, gid, content: (await collect(entry)).toString() });
  }
  expect(seen).toEqual([{ file: 'hello', mode: 0o640, uid: 7, gid: 8, content: 'hello world' }]);
  expect(await engine.containers.getArchive(name, '/no/such/file')).toBeUndefined();
});

describe('logs', () => {
  test('of a container without a TTY keep their streams apart', async () => {
    const name = await create(`${talker}:1`);
    await engine.containers.start(name);
    const found = await sixLines(name);
    const texts = (stream: string) => found.filter((line) => line.stream === stream).map(({ text }) => text);
    expect(texts('stdout')).toEqual(['line 1 on stdout', 'line 3 on stdout', 'line 5 on stdout']);
    expect(texts('stderr')).toEqual(['line 2 on stderr', 'line 4 on stderr', 'line 6 on stderr']);
    const times = found.map(({ at }) => at);
    expect(times.every((at) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/.test(at))).toBe(true);
    const sorted = times.toSorted();
    expect(await lines(name, { since: sorted.at(-1) ?? '' })).toHaveLength(
      times.filter((at) => at === sorted.at(-1)).length,
    );
    expect(await lines(name, { until: sorted[0] ?? '' })).toHaveLength(times.filter((at) => at === sorted[0]).length);
    expect(await lines(name, { tail: 2 })).toHaveLength(2);
  });

  test('of a container with a TTY are lines without its line ends', async () => {
    const name = await create(`${talker}:1`, { Tty: true });
    await engine.containers.start(name);
    const found = await sixLines(name, { tty: true });
    expect(found.map(({ text }) => text)).toEqual([
      'line 1 on stdout',
      'line 2 on stderr',
      'line 3 on stdout',
      'line 4 on stderr',
      'line 5 on stdout',
      'line 6 on stderr',
    ]);
    expect(found.every(({ stream }) => stream === 'stdout')).toBe(true);
  });

  test.each([false, true])('a line of 40,000 characters is one line (TTY %s)', async (tty) => {
    const script = 'head -c 40000 /dev/zero | tr "\\0" x; echo; echo end';
    const name = await create(`${sleeper}:1`, { Tty: tty, Cmd: ['sh', '-c', script] });
    await engine.containers.start(name);
    await engine.containers.wait(name, 'not-running');
    const found = await lines(name, { tty });
    expect(found.map(({ text }) => [text.length, text.slice(-3)])).toEqual([
      [40_000, 'xxx'],
      [3, 'end'],
    ]);
  });
});

test('events arrive from the moment asked for until the signal', async () => {
  const { SystemTime = '' } = await engine.info();
  const name = await create(`${sleeper}:1`);
  const controller = new AbortController();
  const actions: string[] = [];
  const since = String(Date.parse(SystemTime) / 1000);
  for await (const event of engine.events({ since, signal: controller.signal })) {
    if (event.Actor.Attributes['name'] === name) actions.push(event.Action);
    if (actions.at(-1) === 'create') await engine.containers.start(name);
    if (actions.at(-1) === 'start') controller.abort();
  }
  expect(actions).toEqual(['create', 'start']);
});

test('a pull tells its progress; a tag that the registry lacks is an error', async () => {
  const registry = await sharedRegistry();
  try {
    const repository = uniqueName('pulled');
    await pushImage(registry, repository, '1', await images.sleeper({ labels: { for: repository } }));
    const reference = `${registry.host}/${repository}`;
    const seen: string[] = [];
    await engine.images.pull(`${reference}:1`, { onProgress: ({ status }) => seen.push(status) });
    expect(seen.length).toBeGreaterThan(0);
    expect((await engine.images.inspect(`${reference}:1`))?.RepoTags).toContain(`${reference}:1`);
    await engine.images.tag(`${reference}:1`, repository, 'kept');
    await engine.images.remove(`${reference}:1`);
    await engine.images.remove(`${reference}:1`);
    expect(await engine.images.inspect(`${repository}:kept`)).toBeDefined();
    await engine.images.remove(`${repository}:kept`);
    await expect(engine.images.pull(`${reference}:2`)).rejects.toMatchObject({ name: 'EngineError' });
  } finally {
    await registry.stop();
  }
});
