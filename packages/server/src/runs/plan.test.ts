import { expect, test } from 'vitest';
import { memberOf, target } from './members-for-tests.ts';
import { expectedGap, planSteps } from './plan.ts';
import type { Step } from './run.ts';

const lines = (steps: readonly Step[]) => steps.map(({ phase, member, text }) => `${phase} ${member}: ${text}`);
const recreate = { run: 'op', strategy: 'recreate', target } as const;

test('stop-first: the replacement exists before anything is stopped, and the old one goes last', () => {
  expect(lines(planSteps({ ...recreate, members: [memberOf('web')] }))).toEqual([
    'PLANNED web: keep the old image as evenkeel-rollback/web:op',
    'PLANNED web: pull nginx@sha256:digest',
    'PLANNED web: let nginx:1 name the pulled image',
    'CREATING web: create the new web as web.next.op',
    'CREATED web: compare the new web with the plan',
    'QUIESCING web: set the restart policy of the old web to no',
    'STOPPING web: stop the old web (at most 10 s)',
    'SWAPPING web: rename the old web to web.prev.op',
    'SWAPPING web: rename the new web to web',
    'STARTING web: start the new web',
    'VERIFYING web: wait until web has run for 15 s without a restart',
    'COMMIT web: remove the old web',
  ]);
});

test('start-first: the new one runs and holds before the old one is stopped, and is renamed last', () => {
  const steps = planSteps({ ...recreate, strategy: 'start-first', members: [memberOf('web')] });
  const phases = [...new Set(steps.map(({ phase }) => phase))];
  expect(phases).toEqual([
    'PLANNED',
    'CREATING',
    'CREATED',
    'STARTING',
    'VERIFYING',
    'QUIESCING',
    'STOPPING',
    'SWAPPING',
    'COMMIT',
  ]);
  expect(expectedGap({ ...recreate, strategy: 'start-first', members: [memberOf('web')] })).toBe(0);
});

test('--rm: a holder keeps the volumes, and the old one, which vanishes, is neither renamed nor removed', () => {
  const steps = lines(planSteps({ ...recreate, members: [memberOf('web', { autoRemove: true })] }));
  expect(steps).toContain('HOLDING web: create the volume holder of web as web.hold.op');
  expect(steps.at(-1)).toBe('COMMIT web: remove the volume holder of web');
  expect(steps.filter((step) => /rename the old|remove the old|restart policy/.test(step))).toEqual([]);
});

test('a stopped container is replaced and never started or waited for', () => {
  const steps = planSteps({ ...recreate, members: [memberOf('web', { wasRunning: false })] });
  expect(steps.filter(({ action }) => ['stop', 'start', 'gate'].includes(action.do))).toEqual([]);
});

test('a group: create all, stop in reverse order, swap, start in order, each with its gate', () => {
  const members = [
    memberOf('vpn'),
    memberOf('app', { role: 'recreate', relation: 'network namespace of vpn' }),
    memberOf('job', { role: 'restart', relation: 'depends on app' }),
  ];
  const steps = planSteps({ ...recreate, members });
  const doing = (what: string) => steps.filter(({ action }) => action.do === what).map(({ member }) => member);
  expect(doing('create')).toEqual(['vpn', 'app']);
  expect(doing('stop')).toEqual(['job', 'app', 'vpn']);
  expect(doing('start')).toEqual(['vpn', 'app', 'job']);
  expect(doing('gate')).toEqual(['vpn', 'app', 'job']);
  expect(doing('remove')).toEqual(['vpn', 'app']);
  const firstStop = steps.findIndex(({ action }) => action.do === 'stop');
  expect(steps.slice(firstStop).some(({ action }) => action.do === 'create')).toBe(false);
});

test('an image that is pinned by digest needs no tag', () => {
  const members = [memberOf('web', { image: 'nginx@sha256:digest' })];
  expect(lines(planSteps({ ...recreate, members })).filter((step) => step.includes('let '))).toEqual([]);
});

test('our own container: a helper does what we cannot do to ourselves, and all of it counts as begun from the hand over on', () => {
  const steps = planSteps({ ...recreate, members: [memberOf('evenkeel', { self: true })] });
  expect(lines(steps).slice(4)).toEqual([
    'CREATED evenkeel: compare the new evenkeel with the plan',
    'STOPPING evenkeel: hand over to the helper evenkeel.hand.op',
    'STOPPING evenkeel: set the restart policy of the old evenkeel to no',
    'STOPPING evenkeel: stop the old evenkeel (at most 10 s)',
    'SWAPPING evenkeel: rename the old evenkeel to evenkeel.prev.op',
    'SWAPPING evenkeel: rename the new evenkeel to evenkeel',
    'STARTING evenkeel: start the new evenkeel',
    'VERIFYING evenkeel: wait until evenkeel has run for 15 s without a restart',
    'COMMIT evenkeel: remove the helper evenkeel.hand.op',
    'COMMIT evenkeel: remove the old evenkeel',
  ]);
});

test('every step says why', () => {
  const members = [memberOf('web', { autoRemove: true, injected: ['/run/secrets/a'], connects: ['back'] })];
  for (const { cause } of planSteps({ ...recreate, members })) expect(cause).not.toBe('');
});
