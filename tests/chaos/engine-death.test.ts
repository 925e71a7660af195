import {
  type EngineProxy,
  startEngine,
  startEngineProxy,
  startRegistry,
  type TestEngine,
  type TestRegistry,
  waitFor,
} from '@evenkeel/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunBench, startRunBench } from '../scenarios/run-bench.ts';
import {
  expectOneRight,
  type Kind,
  makeSubject,
  pushImages,
  removeSubject,
  type Subject,
  type SubjectImages,
} from './subjects.ts';

/** dockerd is killed and started again in the middle of a run; the platform lives on and has to finish. */
let engine: TestEngine;
let proxy: EngineProxy;
let registry: TestRegistry;
let pushed: SubjectImages;
let bench: RunBench;

beforeAll(async () => {
  engine = await startEngine();
  proxy = await startEngineProxy(engine);
  registry = await startRegistry();
  await engine.docker('network', 'create', 'chaos');
  pushed = await pushImages(engine, registry);
  bench = await startRunBench({ endpoint: proxy.url });
});
afterAll(async () => {
  await bench?.stop();
  await proxy?.stop();
  await registry?.stop();
  await engine?.stop();
});

/** The moments: before the engine sees a call, or after it has carried it out. */
const moments: [string, Kind, (subject: Subject) => RegExp, 'before' | 'after'][] = [
  ['the new one is created', 'always', ({ name }) => new RegExp(`create\\?name=${name}\\.next`), 'after'],
  ['the policy is set', 'always', () => /POST .*\/update/, 'after'],
  ['the old one is stopped', 'always', () => /POST .*\/stop/, 'after'],
  ['the names are swapped', 'always', ({ name }) => new RegExp(`rename\\?name=${name}$`), 'before'],
  ['the new one is started', 'always', () => /POST .*\/start/, 'after'],
  ['the old one is removed', 'always', () => /DELETE \/containers/, 'before'],
  ['the old --rm one is stopped', 'rm', () => /POST .*\/stop/, 'before'],
];

async function restarted(how: 'kill' | 'killEverything' | 'terminate'): Promise<void> {
  await engine[how]();
  await engine.start();
}

async function survives(
  kind: Kind,
  match: (subject: Subject) => RegExp,
  when: 'before' | 'after',
  how: Parameters<typeof restarted>[0],
) {
  const subject = await makeSubject(engine, registry, pushed, kind);
  try {
    bench.offers.set(subject.name, subject.chosen);
    await waitFor(() => bench.hosts.collection.get('local')?.state === 'online', { timeoutMs: 60_000 });
    proxy.intercept(match(subject), { [when]: () => restarted(how) }, { times: 1 });
    const { run } = await bench.finished(await bench.begin(subject.name));
    expect(['committed', 'rolled-back']).toContain(run.state);
    await expectOneRight(engine, pushed, subject);
  } finally {
    proxy.clear();
    await removeSubject(engine, subject);
  }
}

describe('an engine that is killed when', () => {
  test.each(moments)('%s (%s): one right container is left', { timeout: 240_000 }, async (_, kind, match, when) => {
    await survives(kind, match, when, 'kill');
  });
});

test('a power cut in the middle of the swap leaves one right container', { timeout: 240_000 }, async () => {
  await survives('always', ({ name }) => new RegExp(`rename\\?name=${name}$`), 'after', 'killEverything');
});

test('an orderly restart while the new one is checked is not held against it', { timeout: 240_000 }, async () => {
  const subject = await makeSubject(engine, registry, pushed, 'always');
  try {
    bench.offers.set(subject.name, subject.chosen);
    await waitFor(() => bench.hosts.collection.get('local')?.state === 'online', { timeoutMs: 60_000 });
    const run = await bench.begin(subject.name, { gate: { seconds: 4 } });
    await waitFor(() => bench.runs.find(run).phase === 'VERIFYING', { timeoutMs: 60_000, describe: 'the gate' });
    await restarted('terminate');
    expect((await bench.finished(run)).run.state).toBe('committed');
    await expectOneRight(engine, pushed, subject);
  } finally {
    await removeSubject(engine, subject);
  }
});
