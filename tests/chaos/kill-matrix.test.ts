import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine, startRegistry, type TestEngine, type TestRegistry } from '@evenkeel/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRunBench } from '../scenarios/run-bench.ts';
import { bundleChild, runChild } from './child-process.ts';
import {
  expectOneRight,
  type Kind,
  kinds,
  makeSubject,
  pushImages,
  removeSubject,
  type Subject,
  type SubjectImages,
  turnRound,
} from './subjects.ts';

/**
 * The platform is killed by SIGKILL at every journal record and around every engine call of a run; another one on the same data
 * folder then recovers. `EVENKEEL_CHAOS=full` takes every point of every scenario; otherwise the first scenario is complete and
 * the others are sampled at a fixed stride.
 */
const full = process.env['EVENKEEL_CHAOS'] === 'full';
const stride = full ? 1 : 5;
/** Waiting for gates takes a good part of the time, so some go on side by side. */
const laneCount = 3;
const mostKillsInRecovery = 30;
const timeout = full ? 3_600_000 : 900_000;

let engine: TestEngine;
let registry: TestRegistry;
let pushed: SubjectImages;
const base = mkdtempSync(join(tmpdir(), 'evenkeel-chaos-'));

beforeAll(async () => {
  await bundleChild();
  engine = await startEngine();
  registry = await startRegistry();
  await engine.docker('network', 'create', 'chaos');
  pushed = await pushImages(engine, registry);
});
afterAll(async () => {
  await registry?.stop();
  await engine?.stop();
  rmSync(base, { recursive: true, force: true });
});

/** One container with its own data folder, which goes through one kill after the other, forth and back between two images. */
interface Lane {
  readonly subject: Subject;
  readonly folder: string;
}

async function openLane(kind: Kind): Promise<Lane> {
  return { subject: await makeSubject(engine, registry, pushed, kind), folder: mkdtempSync(join(base, 'data-')) };
}

async function closeLane({ subject, folder }: Lane): Promise<void> {
  await removeSubject(engine, subject);
  rmSync(folder, { recursive: true, force: true });
}

/** Starts an update that is killed at the point; undefined when it was. Otherwise the points that it passed. */
async function update({ subject, folder }: Lane, killAt: number): Promise<readonly string[] | undefined> {
  await turnRound(engine, registry, pushed, subject);
  const { name, chosen } = subject;
  return (await runChild({ endpoint: engine.url, folder, killAt, update: { name, chosen } }))?.points;
}

/** A platform that does nothing but finish what it finds. Returns the states of all runs in the folder. */
async function recoverHere({ folder }: Lane): Promise<string[]> {
  const bench = await startRunBench({ endpoint: engine.url, folder });
  try {
    const { collection } = bench.operations;
    await Promise.all([...collection.values()].map(({ id }) => bench.operations.finished(id)));
    return [...bench.runs.collection.values()].map(({ state }) => state);
  } finally {
    await bench.stop();
  }
}

/** A tag that names the right image already saves a call, so that the last points of one run need not exist in the next. */
async function updateKilled(lane: Lane, killAt: number): Promise<void> {
  const passed = await update(lane, killAt);
  expect(passed?.length ?? 0, 'the process is killed').toBeLessThan(killAt);
}

async function killAndRecover(lane: Lane, killAt: number): Promise<void> {
  await updateKilled(lane, killAt);
  const states = await recoverHere(lane);
  await expectOneRight(engine, pushed, lane.subject);
  for (const state of states) expect(['committed', 'rolled-back', 'failed']).toContain(state);
}

/** Kills the recovery too, each time one point later, until one gets through. Returns how often it was killed. */
async function killAgainAndAgain(lane: Lane, killAt: number): Promise<number> {
  await updateKilled(lane, killAt);
  const { folder, subject } = lane;
  let kills = 0;
  while (kills < mostKillsInRecovery) {
    const report = await runChild({ endpoint: engine.url, folder, killAt: kills + 1 });
    if (report !== undefined) break;
    kills += 1;
  }
  if (kills === mostKillsInRecovery) await recoverHere(lane);
  await expectOneRight(engine, pushed, subject);
  return kills;
}

/**
 * Points with the same state on disk and engine are one: what stands between the end of a call and the begin of the next record
 * is the same before and after it.
 */
function distinct(points: readonly string[]): number[] {
  return points.flatMap((point, index) => (full || /^(record: after|call: after)/.test(point) ? [index + 1] : []));
}

/** Works through the points on several lanes, and collects what failed, so that one report names every point. */
async function throughAll(
  kind: Kind,
  points: readonly number[],
  work: (lane: Lane, point: number) => Promise<void>,
): Promise<string[]> {
  const failures: string[] = [];
  const waiting = [...points];
  await Promise.all(
    Array.from({ length: Math.min(laneCount, points.length) }, async () => {
      let lane = await openLane(kind);
      for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) {
        try {
          await work(lane, point);
        } catch (error) {
          failures.push(`point ${point}: ${String(error)}`);
          await closeLane(lane);
          lane = await openLane(kind);
        }
      }
      await closeLane(lane);
    }),
  );
  return failures;
}

/** The points of an update that nobody kills. */
async function pointsOf(kind: Kind): Promise<readonly string[]> {
  const lane = await openLane(kind);
  try {
    const points = (await update(lane, 0)) ?? [];
    await expectOneRight(engine, pushed, lane.subject);
    expect(points.filter((point) => point.startsWith('call: before')).length).toBeGreaterThan(8);
    const startsFirst = points.some((point) => /disconnect/.test(point));
    expect(startsFirst, 'the strategy').toBe(kind === 'start-first');
    return points;
  } finally {
    await closeLane(lane);
  }
}

describe.each(kinds)('a run of kind %s', (kind) => {
  test('leaves exactly one right container wherever the platform is killed', { timeout }, async () => {
    const all = distinct(await pointsOf(kind));
    const chosen = kind === 'always' ? all : all.filter((_, index) => index % stride === 2 % stride);
    expect(chosen.length).toBeGreaterThan(5);
    expect(await throughAll(kind, chosen, killAndRecover)).toEqual([]);
  });
});

test('a recovery that is itself killed again and again comes to its end', { timeout }, async () => {
  const all = distinct(await pointsOf('always')).filter((_, index) => full || index % 12 === 8);
  let most = 0;
  const failures = await throughAll('always', all, async (lane, point) => {
    most = Math.max(most, await killAgainAndAgain(lane, point));
  });
  expect(failures).toEqual([]);
  expect(most).toBeGreaterThan(3);
});
