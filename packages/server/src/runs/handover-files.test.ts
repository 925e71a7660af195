import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clearHandovers, decide, readFacts, readVerdict, removeHandover, writeFacts } from './handover-files.ts';
import { badImage } from './members-for-tests.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-handover-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = 'abc123';
const facts = {
  host: 'local',
  name: 'evenkeel',
  old: 'id-old',
  new: 'id-new',
  policy: { Name: 'always', MaximumRetryCount: 0 },
  gate: { seconds: 15 },
};

test('the helper reads what the old instance left for it', () => {
  expect(readFacts(folder, run)).toBe(undefined);
  writeFacts(folder, run, facts);
  expect(readFacts(folder, run)).toEqual(facts);
});

test('there is one verdict: the first', () => {
  expect(readVerdict(folder, run)).toBe(undefined);
  expect(decide(folder, run, { holds: true })).toEqual({ holds: true });
  expect(decide(folder, run, { holds: false, failure: badImage })).toEqual({ holds: true });
  expect(readVerdict(folder, run)).toEqual({ holds: true });
});

test('a verdict whose writer was killed means that the old one stays, and nobody changes it', () => {
  writeFileSync(join(folder, `handover-${run}.verdict.json`), '');
  expect(readVerdict(folder, run)).toMatchObject({ holds: false, failure: { cause: 'interrupted' } });
  expect(decide(folder, run, { holds: true })).toMatchObject({ holds: false });
});

test('what is left of a run goes with its end; other files stay', () => {
  writeFacts(folder, run, facts);
  decide(folder, run, { holds: true });
  writeFacts(folder, 'def456', facts);
  writeFileSync(join(folder, 'evenkeel.db'), '');
  clearHandovers(folder, new Set([run]));
  expect(readdirSync(folder).sort()).toEqual(['evenkeel.db', `handover-${run}.json`, `handover-${run}.verdict.json`]);
  removeHandover(folder, run);
  expect(readdirSync(folder)).toEqual(['evenkeel.db']);
});
