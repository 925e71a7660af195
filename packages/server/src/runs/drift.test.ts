import { expect, test } from 'vitest';
import { checkUntouched } from './drift.ts';
import { inspectOf, memberOf } from './members-for-tests.ts';
import { Drift } from './run.ts';

const member = memberOf('web');
const stopped = { ...inspectOf('web').State, Running: false, Status: 'exited' };

function driftOf(part: Parameters<typeof inspectOf>[1], disturbed = false): Drift | undefined {
  try {
    checkUntouched(member, inspectOf('web', part), { disturbed, left: [] });
    return undefined;
  } catch (error) {
    if (error instanceof Drift) return error;
    throw error;
  }
}

test('what is as it was is no drift, and neither is the policy that the run itself set', () => {
  expect(driftOf({})).toBe(undefined);
  expect(driftOf({ HostConfig: { RestartPolicy: { Name: 'no' } } })).toBe(undefined);
});

test.each([
  [{ Id: 'other' }, /replaced/],
  [{ Name: '/mine' }, /renamed to mine/],
  [{ State: { ...inspectOf('web').State, Paused: true } }, /paused/],
  [{ HostConfig: { Memory: 5 } }, /changed .*Memory/],
  [{ NetworkSettings: { Networks: { bridge: {}, back: {} } } }, /changed .*networks/],
])('%j was done by somebody else', (part, message) => {
  expect(driftOf(part)?.message).toMatch(message);
});

test('a container that a person stopped is left stopped, one that a restart of the engine stopped is not', () => {
  expect(driftOf({ State: stopped })?.leaveStopped).toBe('web');
  expect(driftOf({ State: stopped }, true)?.leaveStopped).toBe(undefined);
});

test('the links of a container come in any order, but another link is a change', () => {
  const links = (...names: string[]) => ({ HostConfig: { Links: names.map((name) => `/${name}:/web/${name}`) } });
  const linked = memberOf('web', { inspect: inspectOf('web', links('a', 'b')) });
  const check = (...names: string[]) =>
    checkUntouched(linked, inspectOf('web', links(...names)), { disturbed: false, left: [] });
  expect(() => check('b', 'a')).not.toThrow();
  expect(() => check('a', 'c')).toThrow(/changed .*Links/);
});
