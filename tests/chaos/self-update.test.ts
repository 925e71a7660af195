import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Run } from '@evenkeel/contract';
import {
  images,
  type PushedImage,
  pushImage,
  startEngine,
  startRegistry,
  type TestEngine,
  type TestRegistry,
  uniqueName,
  waitFor,
} from '@evenkeel/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { candidateFor } from '../scenarios/offer.ts';
import { startRunBench } from '../scenarios/run-bench.ts';
import { bundleChild, runChild } from './child-process.ts';
import type { Task } from './take-over-here.ts';

/**
 * Evenkeel replaces the container that it runs in. Who acts (the old instance, its helper, the new instance) is a process here and is
 * killed by SIGKILL; the containers are real ones, in which something else runs. The whole with the real image:
 * scenarios/container-image.test.ts.
 */
const timeout = 300_000;
const base = mkdtempSync(join(tmpdir(), 'evenkeel-self-'));
const repository = uniqueName('self');

let engine: TestEngine;
let registry: TestRegistry;
let pushed: { old: PushedImage; good: PushedImage; bad: PushedImage };

beforeAll(async () => {
  await bundleChild();
  engine = await startEngine();
  registry = await startRegistry();
  pushed = {
    old: await pushImage(registry, repository, 'old', await images.listens({ version: '1' })),
    good: await pushImage(registry, repository, 'good', await images.listens({ version: '2' })),
    bad: await pushImage(registry, repository, 'bad', await images.exitsAtOnce()),
  };
});
afterAll(async () => {
  await registry?.stop();
  await engine?.stop();
  rmSync(base, { recursive: true, force: true });
});

interface Handed extends Task {
  readonly name: string;
  readonly folder: string;
}

/** An old instance that has come as far as it can by itself, and ends when it is told to, as its helper would tell it. */
async function handedOver(to: 'good' | 'bad'): Promise<Handed> {
  const name = uniqueName('self');
  const folder = mkdtempSync(join(base, 'data-'));
  const image = `${registry.host}/${repository}:${name}`;
  await engine.docker('pull', '-q', pushed.old.reference);
  await engine.docker('tag', pushed.old.reference, image);
  const mounts = ['-v', `${folder}:${folder}`, '-v', `${engine.socketPath}:${engine.socketPath}`];
  const old = await engine.docker('run', '-d', '--name', name, '--restart', 'unless-stopped', ...mounts, image);
  const bench = await startRunBench({ endpoint: engine.url, folder, self: old, dataDir: folder });
  try {
    bench.offers.set(name, { ...candidateFor(registry, repository, name, pushed[to]), image });
    const run = await bench.begin(name);
    await waitFor(async () => (await show(`${name}.hand.${run}`, '{{.State.Running}}')) === 'true', {
      timeoutMs: 60_000,
      describe: 'the helper to run',
    });
    const shown = await show(`${name}.hand.${run}`, '{{.HostConfig.RestartPolicy.Name}} {{json .Config.Cmd}}');
    expect(shown).toContain('always');
    expect(shown).toContain(`"take-over","${run}"]`);
    return { run, old, new: await show(`${name}.next.${run}`, '{{.Id}}'), name, folder };
  } finally {
    await bench.stop();
  }
}

async function show(container: string, format: string): Promise<string> {
  const { stdout } = await engine.cli('inspect', '--format', format, container);
  return stdout.trim();
}

const help = (handed: Handed, killAt: number) =>
  runChild({ endpoint: engine.url, folder: handed.folder, killAt, takeOver: handed });

/** Whoever has the name and runs finishes the run; killed after so many points, where `killAt` is not 0. */
async function finish({ name, folder }: Handed, killAt = 0) {
  const self = await show(name, '{{.Id}}');
  return runChild({ endpoint: engine.url, folder, self, killAt });
}

async function expectOne({ name, folder, run, ...ids }: Handed, to: 'old' | 'new'): Promise<void> {
  const all = (await engine.docker('ps', '-a', '--filter', `name=${name}`, '--format', '{{.Names}}')).split('\n');
  expect(all).toEqual([name]);
  const facts = await show(name, '{{.Id}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}}');
  expect(facts).toBe(`${ids[to]} true unless-stopped`);
  expect(readdirSync(folder).filter((file) => file.includes('handover'))).toEqual([]);
  const { state, steps } = await runIn(folder, run);
  expect(state).toBe(to === 'new' ? 'committed' : 'rolled-back');
  expect(steps.filter((step) => step.state === 'waiting' || step.state === 'running')).toEqual([]);
  // Whoever finishes may have been killed in a step of its own; what the helper did has been done.
  const theirs = steps.filter(({ phase }) => phase === 'STOPPING' || phase === 'SWAPPING' || phase === 'STARTING');
  if (to === 'new') expect(theirs.filter((step) => step.state !== 'done')).toEqual([]);
  await engine.docker('rm', '-f', name);
}

/** The new one has started by now: as a newer version it has changed the form of the database, which an older one refuses. */
function actAsNewerVersion({ folder }: Handed): void {
  const database = new DatabaseSync(join(folder, 'evenkeel.db'));
  database.exec("INSERT INTO kysely_migration (name, timestamp) VALUES ('2099-01-01-future-1', '')");
  database.close();
}

async function runIn(folder: string, run: string): Promise<Run> {
  const bench = await startRunBench({ endpoint: engine.url, folder });
  try {
    return bench.runs.find(run);
  } finally {
    await bench.stop();
  }
}

describe.each(['good', 'bad'] as const)('to a %s image', (to) => {
  const end = to === 'good' ? 'new' : 'old';
  let points: readonly string[] = [];

  test('one instance is left although whoever finishes is killed again and again', { timeout }, async () => {
    const handed = await handedOver(to);
    points = (await help(handed, 0))?.points ?? [];
    let kills = 0;
    while (kills < 20 && (await finish(handed, 3 * kills + 1)) === undefined) kills += 1;
    expect(kills).toBeGreaterThan(1);
    expect(kills).toBeLessThan(20);
    await expectOne(handed, end);
  });

  test('one instance is left wherever the helper is killed', { timeout }, async () => {
    const calls = points.flatMap((point, index) => (point.startsWith('call: after') ? [index + 1] : []));
    expect(calls.length).toBeGreaterThan(4);
    // Good: at the beginning, the old one stopped, between the two renames. Bad: at the start of the new one, and on the way back.
    const chosen = to === 'good' ? [1, calls[1], calls[2]] : [calls[4], calls.at(-2)];
    await Promise.all(
      chosen.map(async (killAt = 0) => {
        const handed = await handedOver(to);
        expect(await help(handed, killAt), `killed at ${points[killAt - 1]}`).toBe(undefined);
        if (to === 'bad') actAsNewerVersion(handed);
        await help(handed, 0);
        await finish(handed);
        await expectOne(handed, end);
      }),
    );
  });
});

test('an old instance that comes up again before its helper acted goes back', { timeout }, async () => {
  const handed = await handedOver('good');
  await engine.docker('rm', '-f', `${handed.name}.hand.${handed.run}`);
  await finish(handed);
  await expectOne(handed, 'old');
});
