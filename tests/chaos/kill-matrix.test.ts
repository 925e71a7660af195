import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine, startRegistry, type TestEngine, type TestRegistry } from '@evenkeel/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleChild, runChild } from './child-process.ts';
import type { ChildReport } from './run-child.ts';
import {
  expectOneRight,
  type Kind,
  kinds,
  makeSubject,
  pushImages,
  removeSubject,
  type SubjectImages,
} from './subjects.ts';

/**
 * The platform is killed by SIGKILL at every journal record and around every engine call of a run; a second process then
 * recovers. `EVENKEEL_CHAOS=full` takes every point of every scenario; otherwise the first scenario is complete and the others
 * are sampled at a fixed stride.
 */
const full = process.env['EVENKEEL_CHAOS'] === 'full';
const stride = full ? 1 : 4;
/** Waiting for gates, not computing, takes most of the time. */
const lanes = 4;
const mostKillsInRecovery = 30;

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

/**
 * Points with the same state on disk and engine are one: what stands between the end of a call and the begin of the next record is
 * the same before and after it.
 */
function distinct(points: readonly string[]): number[] {
  return points.flatMap((point, index) => (full || /^(record: after|call: after)/.test(point) ? [index + 1] : []));
}

interface Outcome {
  readonly report: ChildReport | undefined;
  readonly kills: number;
}

/** Kills an update at the point, and its recovery at ever later points when wanted, until a recovery gets through. */
async function killed(kind: Kind, killAt: number, options: { killRecovery: boolean }): Promise<Outcome> {
  const folder = mkdtempSync(join(base, 'data-'));
  const subject = await makeSubject(engine, registry, pushed, kind);
  const endpoint = engine.url;
  const { name, chosen } = subject;
  try {
    let report = await runChild({ endpoint, folder, killAt, update: { name, chosen } });
    let kills = report === undefined ? 1 : 0;
    while (report === undefined) {
      const again = options.killRecovery && kills < mostKillsInRecovery;
      report = await runChild({ endpoint, folder, killAt: again ? kills : 0 });
      if (report === undefined) kills += 1;
    }
    await expectOneRight(engine, pushed, subject);
    for (const { state } of report.runs) expect(['committed', 'rolled-back', 'failed']).toContain(state);
    return { report, kills };
  } finally {
    await removeSubject(engine, subject);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs them side by side and collects what failed, so that one report names every point. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<string[]> {
  const failures: string[] = [];
  const waiting = [...items];
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await work(item).catch((error: unknown) => failures.push(`${String(item)}: ${String(error)}`));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return failures;
}

describe.each(kinds)('a run of kind %s', (kind) => {
  let points: readonly string[] = [];

  test('comes to its end when nobody kills it', async () => {
    const { report } = await killed(kind, 0, { killRecovery: false });
    expect(report?.runs.map(({ state }) => state)).toEqual([kind === 'failing' ? 'rolled-back' : 'committed']);
    points = report?.points ?? [];
    expect(points.filter((point) => point.startsWith('call: before')).length).toBeGreaterThan(8);
  });

  test('leaves exactly one right container wherever the platform is killed', { timeout: 600_000 }, async () => {
    const all = distinct(points);
    const chosen = kind === 'always' ? all : all.filter((_, index) => index % stride === 0);
    expect(chosen.length).toBeGreaterThan(5);
    const failures = await each(chosen, async (point) => {
      const { kills } = await killed(kind, point, { killRecovery: false });
      expect(kills, `the process must die at ${points[point - 1]}`).toBe(1);
    });
    expect(failures).toEqual([]);
  });
});

test('recovery that is itself killed again and again comes to its end', { timeout: 600_000 }, async () => {
  const { report } = await killed('always', 0, { killRecovery: false });
  const all = distinct(report?.points ?? []).filter((_, index) => full || index % 9 === 4);
  let most = 0;
  const failures = await each(all, async (point) => {
    const { kills } = await killed('always', point, { killRecovery: true });
    most = Math.max(most, kills);
  });
  expect(failures).toEqual([]);
  expect(most).toBeGreaterThan(3);
});
