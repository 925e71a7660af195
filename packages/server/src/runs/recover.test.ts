import type { RunPhase } from '@evenkeel/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { badImage, memberOf, newImage, now, oldImage, runOf, seenNew, seenOld } from './members-for-tests.ts';
import { recover, type Seen, type SeenMember } from './recover.ts';
import { type JournalMember, type JournalRun, type Step, workNames } from './run.ts';

const web = memberOf('web');
const lines = (steps: readonly Step[]) => steps.map(({ phase, text }) => `${phase} ${text}`);
const back = (phase: RunPhase, seen: Partial<SeenMember>, part: Partial<JournalRun> = {}) =>
  recover(runOf([web], { furthest: phase, ...part }), [now(seen)], { disturbed: true });

describe('stop-first, after an interruption', () => {
  test('before the swap the replacement is removed and the old one has its policy and runs', () => {
    const old = seenOld('web', { running: false, policy: 'no' });
    const found = back('STOPPING', { old, nameOwner: old, new: seenNew('web') });
    expect(found.direction).toBe('back');
    expect(lines(found.steps)).toEqual([
      'ROLLBACK remove the new web',
      'ROLLBACK set the restart policy of the old web to always',
      'ROLLBACK start the old web',
    ]);
  });

  test('between the two renames the old one gets its name back before it is started', () => {
    const old = seenOld('web', { running: false, policy: 'no', name: 'web.prev.op' });
    expect(lines(back('SWAPPING', { old, new: seenNew('web') }).steps)).toEqual([
      'ROLLBACK remove the new web',
      'ROLLBACK rename the old web to web',
      'ROLLBACK set the restart policy of the old web to always',
      'ROLLBACK start the old web',
    ]);
  });

  test('after the swap it goes on: started if it does not run, and through the gate again', () => {
    const fresh = seenNew('web', { name: 'web' });
    const old = seenOld('web', { running: false, policy: 'no', name: 'web.prev.op' });
    const found = back('STARTING', { old, new: fresh, nameOwner: fresh });
    expect(found.direction).toBe('on');
    expect(lines(found.steps)).toEqual([
      'STARTING start the new web',
      'VERIFYING wait until web has run for 15 s without a restart',
    ]);
  });

  test('after the commit only what is left is cleared away', () => {
    const fresh = seenNew('web', { name: 'web', running: true });
    const old = seenOld('web', { running: false, name: 'web.prev.op' });
    const found = back('COMMIT', { old, new: fresh, nameOwner: fresh });
    expect([found.direction, lines(found.steps)]).toEqual(['commit', ['COMMIT remove the old web']]);
  });

  test('a parked container that somebody renamed or started is no longer ours to remove', () => {
    const fresh = seenNew('web', { name: 'web', running: true });
    for (const part of [{ name: 'mine' }, { name: 'web.prev.op', running: true }])
      expect(back('COMMIT', { old: seenOld('web', part), new: fresh, nameOwner: fresh }).steps).toEqual([]);
  });
});

describe('going back', () => {
  test('a name that somebody else took blocks, and the taker is in no step', () => {
    const thief = seenOld('web', { id: 'foreign' });
    const old = seenOld('web', { running: false, name: 'web.prev.op' });
    const found = back('SWAPPING', { old, nameOwner: thief }, { failure: badImage, phase: 'ROLLBACK' });
    expect(found.blocked).toContain('taken by a container that is not of this run');
    expect(found.steps).toEqual([]);
  });

  test('what somebody removed before the run took anything away stays removed', () => {
    const found = back('CREATING', { new: seenNew('web') }, { failure: badImage, phase: 'ROLLBACK' });
    expect(lines(found.steps)).toEqual(['ROLLBACK remove the new web']);
    expect(found.lost).toEqual(['web']);
  });

  test('what is gone after the run stopped it is created again from the journal', () => {
    const found = back('VERIFYING', { reference: newImage.Id }, { failure: badImage, phase: 'ROLLBACK' });
    expect(lines(found.steps)).toEqual(['ROLLBACK create the old web as web.prev.op']);
  });

  test('what ended before the run took anything away, without an interruption, is left as it is', () => {
    const old = seenOld('web', { running: false });
    const failed = (member: JournalMember, seen: Partial<SeenMember>) =>
      recover(runOf([member], { furthest: 'CREATED', phase: 'ROLLBACK', failure: badImage }), [now(seen)], {
        disturbed: false,
      });
    expect(failed(web, { old, nameOwner: old }).steps).toEqual([]);
    expect(failed(memberOf('job', { autoRemove: true }), {})).toMatchObject({ steps: [], lost: ['job'] });
  });

  test('after the commit there is no way back, whatever was noted meanwhile', () => {
    const fresh = seenNew('web', { name: 'web', running: true });
    const old = seenOld('web', { running: false, name: 'web.prev.op' });
    const found = back('COMMIT', { old, new: fresh, nameOwner: fresh }, { failure: badImage, phase: 'ROLLBACK' });
    expect([found.direction, lines(found.steps)]).toEqual(['commit', ['COMMIT remove the old web']]);
  });

  test('a tag that another run brought to the same image is not taken from it', () => {
    const old = seenOld('web');
    const run = runOf([web], { furthest: 'CREATED', phase: 'ROLLBACK', failure: badImage });
    const seen = [now({ old, nameOwner: old, reference: newImage.Id })];
    expect(lines(recover(run, seen, { disturbed: false }).steps)).toEqual(['ROLLBACK let nginx:1 name old']);
    const claimed = new Set([`nginx:1 ${newImage.Id}`]);
    expect(recover(run, seen, { disturbed: false, claimed }).steps).toEqual([]);
  });

  test('a container that somebody stopped is not started', () => {
    const failure = { ...badImage, cause: 'foreign' as const, leaveStopped: ['web'] };
    const old = seenOld('web', { running: false });
    expect(back('CREATED', { old, nameOwner: old }, { failure }).steps).toEqual([]);
  });

  test('one that ends again by itself is started once', () => {
    const old = seenOld('web', { running: false });
    const run = runOf([web], { furthest: 'VERIFYING', phase: 'ROLLBACK', failure: badImage });
    const seen = [now({ old, nameOwner: old })];
    expect(lines(recover(run, seen, { disturbed: true }).steps)).toEqual(['ROLLBACK start the old web']);
    expect(recover(run, seen, { tried: new Set(['start web']), disturbed: true }).steps).toEqual([]);
  });

  test('dependants of an owner that was created again are created again too', () => {
    const side = memberOf('side', { role: 'recreate' });
    const run = runOf([memberOf('web', { autoRemove: true }), side], {
      furthest: 'VERIFYING',
      phase: 'ROLLBACK',
      failure: badImage,
    });
    const owner = seenOld('web', { id: 'restored' });
    const stale = seenOld('side', { name: 'side.prev.op', running: false });
    const found = recover(run, [now({ old: owner, nameOwner: owner }), now({ old: stale })], { disturbed: true });
    expect(lines(found.steps)).toEqual(['ROLLBACK remove the old side']);
  });
});

describe('our own container, handed over to a helper', () => {
  const own = memberOf('web', { self: true });
  const helper = seenOld('web', { id: 'hand', name: 'web.hand.op' });
  const parked = seenOld('web', { running: false, policy: 'no', name: 'web.prev.op' });
  const fresh = seenNew('web', { name: 'web', running: true });
  const found = (self: string, seen: Partial<SeenMember>, part: Partial<JournalRun> = {}) =>
    recover(runOf([own], { furthest: 'STOPPING', ...part }), [now(seen)], { disturbed: true, self });

  test('the new instance commits, for that it runs is the proof: it removes the helper, then the old one', () => {
    const seen = { old: parked, new: fresh, nameOwner: fresh };
    for (const furthest of ['STOPPING', 'VERIFYING', 'COMMIT'] as const) {
      const next = found('new-web', { ...seen, helper }, { furthest });
      expect(next.direction).toBe('commit');
      expect(lines(next.steps)).toEqual(['COMMIT remove the helper web.hand.op', 'COMMIT remove the old web']);
      expect(lines(found('new-web', seen, { furthest }).steps)).toEqual(['COMMIT remove the old web']);
    }
  });

  test('the new instance never goes back, which would stop itself', () => {
    const next = found('new-web', { old: parked, new: fresh, nameOwner: fresh, helper }, { failure: badImage });
    expect(next.direction).toBe('commit');
  });

  test('the old instance removes the helper first, and never starts the new one', () => {
    const old = seenOld('web', { policy: 'no' });
    for (const furthest of ['STOPPING', 'VERIFYING'] as const) {
      const next = found('id-web', { old, new: seenNew('web'), nameOwner: old, helper }, { furthest });
      expect(next.direction).toBe('back');
      expect(lines(next.steps)).toEqual([
        'ROLLBACK remove the helper web.hand.op',
        'ROLLBACK remove the new web',
        'ROLLBACK set the restart policy of the old web to always',
      ]);
    }
  });

  test('without a container of its own nobody takes the new one for proved', () => {
    const next = found('elsewhere', { old: parked, new: fresh, nameOwner: fresh }, { furthest: 'VERIFYING' });
    expect(next.direction).toBe('back');
  });
});

/** The engine as far as these steps change it: enough to follow a recovery to its end. */
function apply(steps: readonly Step[], seen: SeenMember): SeenMember {
  let { old, new: fresh, holder, reference } = seen;
  const change = (one: Seen | undefined, part: Partial<Seen>) => one && { ...one, ...part };
  for (const { action } of steps) {
    const old_ = 'which' in action && action.which === 'old';
    if (action.do === 'remove' && action.which === 'holder') holder = undefined;
    else if (action.do === 'remove' && old_) old = undefined;
    else if (action.do === 'remove') fresh = undefined;
    else if (action.do === 'create') old = seenOld('web', { id: 'restored', name: 'web.prev.op', running: false });
    else if (action.do === 'policy') old = change(old, { policy: action.policy.Name });
    else if (action.do === 'tag') reference = action.imageId;
    else if (action.do === 'stop' || action.do === 'start') {
      const part = { running: action.do === 'start' };
      if (old_) old = change(old, part);
      else fresh = change(fresh, part);
    } else if (action.do === 'rename' && old_) old = change(old, { name: action.to });
  }
  const nameOwner = [old, fresh].find((one) => one?.name === 'web');
  return { old, new: fresh, holder, nameOwner, reference };
}

const phases = [
  'PLANNED',
  'HOLDING',
  'CREATING',
  'CREATED',
  'QUIESCING',
  'STOPPING',
  'SWAPPING',
  'STARTING',
  'VERIFYING',
  'COMMIT',
] as const;

test('from whatever state an interruption leaves, recovery ends with exactly one running container of the name', () => {
  const names = workNames('web', 'op');
  const oldState = fc.record({
    name: fc.constantFrom('web', names.prev),
    running: fc.boolean(),
    policy: fc.constantFrom('always', 'no'),
  });
  const newState = fc.record({ name: fc.constantFrom(names.next, 'web'), running: fc.boolean() });
  const state = fc.record({
    phase: fc.constantFrom(...phases),
    failed: fc.boolean(),
    autoRemove: fc.boolean(),
    strategy: fc.constantFrom('recreate' as const, 'start-first' as const),
    old: fc.option(oldState, { nil: undefined }),
    fresh: fc.option(newState, { nil: undefined }),
    holder: fc.boolean(),
    reference: fc.constantFrom(oldImage.Id, newImage.Id),
  });
  fc.assert(
    fc.property(state, ({ phase, failed, autoRemove, strategy, old, fresh, holder, reference }) => {
      // Only what a run can leave: one of them exists, and not two under one name.
      fc.pre(old?.name !== fresh?.name);
      fc.pre(old !== undefined || autoRemove || phase === 'STOPPING' || phase === 'SWAPPING');
      fc.pre(phase !== 'COMMIT' || fresh === undefined || fresh.name === 'web');
      fc.pre(
        phase !== 'STARTING' && phase !== 'VERIFYING' ? true : strategy === 'start-first' || fresh?.name !== names.next,
      );
      const member = memberOf('web', { autoRemove });
      const failure = failed ? badImage : null;
      const run = runOf([member], { furthest: phase, phase: failed ? 'ROLLBACK' : phase, strategy, failure });
      let seen: SeenMember = {
        old: old && seenOld('web', autoRemove ? { ...old, policy: 'no' } : old),
        new: fresh && seenNew('web', fresh),
        holder: holder ? seenOld('web', { id: 'hold', name: names.hold, running: false }) : undefined,
        nameOwner: undefined,
        reference,
      };
      seen = apply([], seen);
      for (let turn = 0; turn < 8; turn += 1) {
        const found = recover(run, [seen], { disturbed: true });
        if (found.steps.length === 0) break;
        seen = apply(found.steps, seen);
        if (found.direction === 'on') break;
      }
      const standing = [seen.old, seen.new].filter((one) => one?.name === 'web');
      expect(standing).toHaveLength(1);
      expect(standing[0]?.running).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
