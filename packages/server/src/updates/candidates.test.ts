import { type UpdateState, updateStates } from '@evenkeel/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestCandidate } from './candidate.ts';
import { a, b, type Case, c, d, digest, hour, judge, local, now, remote, tags } from './judge-bench.ts';

describe('the ten states', () => {
  const cases: [UpdateState, string, Case][] = [
    ['up-to-date', 'the digest of the tag is one of the running image', { answer: { digest: a } }],
    ['digest-update', 'the tag names another image', { answer: { digest: b }, images: [remote({ digest: b })] }],
    [
      'tag-update',
      'a greater tag of the family exists',
      { answer: { digest: a, picks: [{ tag: '1.27.0', digest: b }] }, images: [remote({ digest: b })], labels: tags },
    ],
    [
      'pulled-not-applied',
      'the new image is here already',
      {
        answer: { digest: b },
        images: [remote({ digest: b, imageId: digest('2') })],
        observed: { named: local({ id: digest('2'), repoDigests: [`nginx@${b}`] }) },
      },
    ],
    [
      'index-only-change',
      'only another platform moved',
      { answer: { digest: b }, images: [remote({ digest: b, platformDigest: a })] },
    ],
    ['pinned', 'a digest alone', { observed: { image: `nginx@${a}` } }],
    [
      'pinned',
      'a digest that its tag still names',
      { observed: { image: `nginx:1.26.0@${a}` }, answer: { digest: a } },
    ],
    [
      'pinned-tag-moved',
      'a digest that its tag has left',
      { observed: { image: `nginx:1.26.0@${a}` }, answer: { digest: b }, images: [remote({ digest: b })] },
    ],
    ['local', 'no digest of any registry', { observed: { running: local({ repoDigests: [] }) } }],
    ['gone', 'the registry no longer knows it', { answer: { digest: null } }],
    ['unknown', 'never asked', {}],
  ];
  it.each(cases)('%s: %s', (state, _, one) => {
    expect(judge(one)).toMatchObject({ state });
  });
  it('are all shown above', () => {
    expect(new Set(cases.map(([state]) => state))).toEqual(new Set(updateStates));
  });
});

describe('the faults of other tools', () => {
  it('PT#7148, Cup#31: all RepoDigests count, not the first', () => {
    const running = local({ repoDigests: [`other/nginx@${c}`, `nginx@${d}`, `nginx@${a}`] });
    expect(judge({ observed: { running }, answer: { digest: a } })).toMatchObject({ state: 'up-to-date', digest: a });
  });
  it('a digest of another repository does not count', () => {
    const running = local({ repoDigests: [`other/nginx@${b}`, `nginx@${a}`] });
    expect(judge({ observed: { running }, answer: { digest: b }, images: [remote({ digest: b })] }).state).toBe(
      'digest-update',
    );
  });
  it('DH#1367: the digest of an index is never compared with that of a platform', () => {
    const running = local({ repoDigests: [`nginx@${c}`] });
    const one = { observed: { running }, answer: { digest: b }, images: [remote({ digest: b, platformDigest: c })] };
    expect(judge(one).state).toBe('index-only-change');
  });
  it('KO#1299: a pull alone does not make a container current', () => {
    const named = local({ id: digest('2'), repoDigests: [`nginx@${b}`] });
    // The last answer is from before the pull: no new question is needed to see it.
    const later = judge({ observed: { named }, answer: { digest: a }, asked: { named: digest('1') } });
    expect(later).toMatchObject({ state: 'pulled-not-applied' });
    expect(later.candidates[0]).toMatchObject({ digest: b, imageId: digest('2'), downloadBytes: 0, blocked: null });
  });
  it('a local oddity that the registry has already judged is no update', () => {
    const named = local({ id: digest('2'), repoDigests: [`nginx@${d}`] });
    expect(judge({ observed: { named }, answer: { digest: a }, asked: { named: digest('2') } }).state).toBe(
      'up-to-date',
    );
  });
  it('a rebuilt child with the same configuration is the running image', () => {
    const one = { answer: { digest: b }, images: [remote({ digest: b, platformDigest: c, imageId: digest('1') })] };
    expect(judge(one).state).toBe('index-only-change');
  });
  it('a failing check keeps the update that was known (WUD drops it)', () => {
    const decision = judge({
      answer: { digest: b, failure: 'The registry is out of order (500).', failureKind: 'sick' },
      images: [remote({ digest: b })],
    });
    expect(decision).toMatchObject({
      state: 'unknown',
      lastGoodState: 'digest-update',
      reason: expect.stringContaining('out of order'),
    });
    expect(bestCandidate(decision.candidates)?.digest).toBe(b);
  });
  it('an error is never shown as up to date', () => {
    expect(judge({ answer: { digest: a, failure: 'x', failureKind: 'sick' } })).toMatchObject({
      state: 'unknown',
      lastGoodState: 'up-to-date',
    });
    expect(judge({ answer: { digest: a, tagsFailure: 'The list of tags failed.' }, labels: tags })).toMatchObject({
      state: 'unknown',
      lastGoodState: 'up-to-date',
    });
    expect(judge({ answer: { failure: 'x', failureKind: 'sick' } })).toMatchObject({
      state: 'unknown',
      lastGoodState: null,
    });
    expect(judge({ answer: { digest: b } })).toMatchObject({ state: 'unknown' });
  });
  it('a vanished tag is gone, with what exists instead (drydock: nothing newer)', () => {
    const decision = judge({
      answer: { digest: null, picks: [{ tag: '1.27.0', digest: b }] },
      images: [remote({ digest: b })],
      labels: tags,
    });
    expect(decision).toMatchObject({ state: 'gone', reason: expect.stringContaining('1.27.0') });
    expect(decision.candidates).toHaveLength(1);
  });
  it('a re-pushed version tag is noticed although tags are compared', () => {
    expect(judge({ answer: { digest: b }, images: [remote({ digest: b })], labels: tags }).state).toBe('digest-update');
  });
  it('an index without our platform is no update', () => {
    const decision = judge({
      answer: { digest: b },
      images: [remote({ digest: b, platformDigest: null, imageId: null })],
    });
    expect(decision.state).toBe('index-only-change');
    expect(decision.candidates[0]?.blocked?.code).toBe('platform-missing');
  });
});

describe('names', () => {
  it('a bare id is traced to the only tag', () => {
    expect(judge({ observed: { image: digest('1') }, answer: { digest: a } })).toMatchObject({
      state: 'up-to-date',
      tag: '1.26.0',
    });
    expect(judge({ observed: { image: '1'.repeat(12) }, answer: { digest: a } }).state).toBe('up-to-date');
  });
  it('a bare id of an image with several tags is unknown, or what compose built', () => {
    const running = local({ repoTags: ['shop-web:latest', 'nginx:1.26.0'] });
    expect(judge({ observed: { image: digest('1'), running } })).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('several names'),
    });
    expect(judge({ observed: { image: digest('1'), running, stack: 'shop', service: 'web' } })).toMatchObject({
      tag: 'latest',
    });
  });
  it('a name that is none is unknown and says why', () => {
    expect(judge({ observed: { image: 'Bad Name' } })).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('repository name'),
    });
  });
  it('a local build with the containerd image store is local where no registry knows it', () => {
    const id = digest('7');
    const running = local({ id, repoDigests: [`myapp@${id}`], repoTags: ['myapp:latest'] });
    const observed = { image: 'myapp', imageId: id, running, named: running };
    expect(judge({ observed, answer: { digest: null } }).state).toBe('local');
    expect(judge({ observed, answer: { failure: 'refused', failureKind: 'denied' as const } }).state).toBe('local');
    expect(judge({ observed: { ...observed, image: 'ghcr.io/me/myapp' }, answer: { digest: null } }).state).not.toBe(
      'local',
    );
  });
  it('a retagged image that its registry never had is unknown, not gone', () => {
    expect(judge({ observed: { image: 'other/app:1' }, answer: { digest: null } }).state).toBe('unknown');
  });
  it('a reference that a pull proved equal needs no more', () => {
    expect(judge({ answer: { digest: b }, equals: [b] }).state).toBe('up-to-date');
  });
});

describe('candidates', () => {
  const picks = [
    { tag: '2.0.0', digest: b },
    { tag: '1.27.0', digest: c },
    { tag: '1.26.1', digest: d },
  ];
  const images = [remote({ digest: b }), remote({ digest: c }), remote({ digest: d })];

  it('come best first, each with its level', () => {
    const { candidates } = judge({ answer: { digest: a, picks }, images, labels: tags });
    expect(candidates.map(({ id, level }) => `${id.split('@')[0]} ${level}`)).toEqual([
      '2.0.0 major',
      '1.27.0 minor',
      '1.26.1 patch',
    ]);
  });
  it('above the level of the policy are shown but not proposed', () => {
    const decision = judge({ answer: { digest: a, picks }, images, labels: { ...tags, 'evenkeel.level': 'minor' } });
    expect(bestCandidate(decision.candidates)?.tag).toBe('1.27.0');
    expect(decision.candidates.at(-1)).toMatchObject({ tag: '2.0.0', blocked: { code: 'level' } });
    const only = judge({
      answer: { digest: a, picks: picks.slice(0, 1) },
      images,
      labels: { ...tags, 'evenkeel.level': 'patch' },
    });
    expect(only.state).toBe('up-to-date');
  });
  it('that were rolled back wait for something newer', () => {
    const decision = judge({ answer: { digest: b }, images, quarantined: { [b]: 'It never became healthy.' } });
    expect(decision.candidates[0]?.blocked).toMatchObject({
      code: 'quarantined',
      reason: expect.stringContaining('healthy'),
    });
    expect(bestCandidate(decision.candidates)).toBeUndefined();
    expect(bestCandidate(judge({ answer: { digest: c }, images, quarantined: { [b]: 'x' } }).candidates)?.digest).toBe(
      c,
    );
  });
  it('that are too new are held back until they are old enough', () => {
    const held = judge({
      answer: { digest: b },
      images,
      minimumAgeHours: 24,
      history: [{ digest: b, since: now - 23 * hour }],
    });
    expect(held.candidates[0]?.blocked?.code).toBe('too-new');
    expect(
      judge({ answer: { digest: b }, images, minimumAgeHours: 24, history: [{ digest: b, since: now - 24 * hour }] })
        .candidates[0]?.blocked,
    ).toBeNull();
  });
  it('that are too new give way to an earlier one that is old enough, so that daily pushes stop no update', () => {
    const decision = judge({
      answer: { digest: c },
      images,
      minimumAgeHours: 24,
      history: [
        { digest: c, since: now - hour },
        { digest: b, since: now - 30 * hour },
        { digest: a, since: now - 90 * hour },
      ],
    });
    expect(decision.candidates.map(({ digest: name, blocked }) => [name, blocked?.code ?? null])).toEqual([
      [b, null],
      [c, 'too-new'],
    ]);
    expect(bestCandidate(decision.candidates)?.digest).toBe(b);
  });
  it('that are the running image under another tag are none', () => {
    const same = remote({ digest: b, imageId: digest('1') });
    expect(judge({ answer: { digest: a, picks: picks.slice(0, 1) }, images: [same], labels: tags })).toMatchObject({
      state: 'up-to-date',
      candidates: [],
    });
  });
  it('say what changes and what has to be fetched', () => {
    const { candidates } = judge({ answer: { digest: b }, images });
    expect(candidates[0]).toMatchObject({
      sizeBytes: 120,
      downloadBytes: 20,
      newLayers: 1,
      sharedLayers: 1,
      configChanges: [{ field: 'env.A', from: '1', to: '2' }],
    });
  });
  it('of tags are not proposed where a label refuses tags', () => {
    expect(judge({ answer: { digest: a, picks }, images, labels: { 'evenkeel.tags': 'false' } }).state).toBe(
      'up-to-date',
    );
  });
});

it('a state is always given, with a reason where something is unknown', () => {
  fc.assert(
    fc.property(
      fc.record({
        digest: fc.constantFrom(undefined, null, a, b),
        failure: fc.constantFrom(null, 'broken'),
        image: fc.constantFrom('nginx:1.26.0', `nginx@${a}`, `nginx:1.26.0@${a}`, digest('1'), '???'),
        repoDigests: fc.constantFrom([], [`nginx@${a}`], [`nginx@${a}`, `x/y@${b}`]),
        known: fc.boolean(),
        engineHasIt: fc.boolean(),
      }),
      ({ digest: answer, failure, image, repoDigests, known, engineHasIt }) => {
        const running = engineHasIt ? local({ repoDigests }) : undefined;
        const decision = judge({
          observed: { image, running, named: running },
          answer: { digest: answer, failure, failureKind: failure === null ? null : 'sick' },
          images: known ? [remote({ digest: b })] : [],
        });
        expect(updateStates).toContain(decision.state);
        if (decision.state === 'unknown') expect(decision.reason).toBeTruthy();
        if (failure !== null && decision.state === 'up-to-date') throw new Error('an error was shown as up to date');
      },
    ),
  );
});
