import { defaultSettings, type UpdateState, updateStates } from '@evenkeel/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestCandidate } from './candidate.ts';
import { type Decision, decide } from './candidates.ts';
import { identify, questionOf } from './identity.ts';
import {
  type AskedFor,
  type LocalImage,
  type Observed,
  type ReferenceAnswer,
  type RemoteImage,
  unasked,
} from './observed.ts';
import { createPolicyReader } from './policy.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const now = Date.parse('2026-11-25T09:00:00Z');
const hour = 3_600_000;
const readPolicy = createPolicyReader();

function local(part: Partial<LocalImage> = {}): LocalImage {
  return {
    id: digest('1'),
    repoTags: ['nginx:1.26.0'],
    repoDigests: [`nginx@${digest('a')}`],
    platform: 'linux/amd64',
    created: '2026-01-01T00:00:00Z',
    defaults: { Env: ['A=1'] },
    layers: ['l1', 'l2'],
    ...part,
  };
}
function remote(part: Partial<RemoteImage> & { digest: string }): RemoteImage {
  return {
    platformDigest: part.digest,
    imageId: part.digest.replace(/^sha256:./, 'sha256:9'),
    created: null,
    version: null,
    source: null,
    layerSizes: [100, 20],
    diffIds: ['l1', 'new'],
    defaults: { Env: ['A=2'] },
    unread: null,
    ...part,
  };
}
interface Case {
  observed?: Partial<Observed>;
  answer?: Partial<ReferenceAnswer>;
  images?: readonly RemoteImage[];
  labels?: Record<string, string>;
  equals?: readonly string[];
  quarantined?: Record<string, string>;
  /** Of every tag, newest first; first seen when the tag last began to name it, unless said. */
  history?: readonly { digest: string; since: number; firstSeenAt?: number }[];
  minimumAgeHours?: number;
  /** What the container was told with the last good answer; null: it came after it. */
  asked?: Partial<AskedFor> | null;
  everGiven?: boolean;
}
function judge(one: Case): Decision {
  const running = local();
  const observed: Observed = {
    image: 'nginx:1.26.0',
    imageId: running.id,
    stack: null,
    service: null,
    running,
    named: running,
    ...one.observed,
  };
  const identity = identify(observed);
  const images = new Map((one.images ?? []).map((image) => [image.digest, image]));
  const good = one.answer?.digest === undefined ? {} : { askedAt: now, goodAt: now };
  const told = { named: null, tags: one.labels?.['evenkeel.tags'] === 'true', tagsNote: null, ...one.asked };
  return decide({
    observed,
    identity,
    question: questionOf(observed, identity, (one.equals?.length ?? 0) > 0 || one.everGiven),
    policy: readPolicy(one.labels ?? {}, defaultSettings),
    answer: { ...unasked, ...good, ...one.answer },
    asked: one.asked === null || one.answer?.digest === undefined ? undefined : told,
    everGiven: one.everGiven ?? typeof one.answer?.digest === 'string',
    imageOf: (name) => images.get(name),
    remembered: one.equals ?? [],
    history: () => (one.history ?? []).map((seen) => ({ firstSeenAt: seen.since, ...seen })),
    quarantined: (name) => one.quarantined?.[name],
    minimumAgeHours: one.minimumAgeHours ?? 0,
    now,
  });
}
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(digest) as [string, string, string, string];
const tags = { 'evenkeel.tags': 'true' };

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

describe('an answer that is older than the container', () => {
  it('never makes a downgrade of what was pushed and pulled since', () => {
    const later = judge({ answer: { digest: b }, images: [remote({ digest: b })], asked: null });
    expect(later).toMatchObject({ state: 'unknown', candidates: [], reason: expect.stringContaining('checked again') });
    expect(judge({ answer: { digest: null }, asked: null, everGiven: true })).toMatchObject({ state: 'unknown' });
  });
  it('is enough where it names what runs, or the tag left that earlier', () => {
    expect(judge({ answer: { digest: a }, asked: null }).state).toBe('up-to-date');
    const history = [
      { digest: b, since: now - hour },
      { digest: a, since: now - 2 * hour },
    ];
    const older = judge({ answer: { digest: b }, images: [remote({ digest: b })], asked: null, history });
    expect(older).toMatchObject({ state: 'digest-update', candidates: [{ digest: b, blocked: null }] });
  });
});

describe('an image whose digests the engine has forgotten', () => {
  const dangling = local({ id: a, repoTags: [], repoDigests: [] });
  const named = local({ id: b, repoDigests: [`nginx@${b}`] });
  it('is compared by its id and by what was seen of it earlier, and is not local', () => {
    const observed = { imageId: a, running: dangling, named };
    expect(judge({ observed }).state).toBe('pulled-not-applied');
    expect(judge({ observed, answer: { digest: b } })).toMatchObject({
      state: 'pulled-not-applied',
      candidates: [{ digest: b, imageId: b, downloadBytes: 0 }],
    });
    const gone = { imageId: a, running: dangling, named: undefined };
    expect(judge({ observed: gone, answer: { digest: a }, equals: [a] })).toMatchObject({
      state: 'up-to-date',
      digest: a,
    });
    expect(
      judge({ observed: gone, answer: { digest: b }, images: [remote({ digest: b })], everGiven: true }).state,
    ).toBe('digest-update');
  });
  it('stays local where it still has its name, or where nothing of that name came from a registry', () => {
    const built = local({ repoDigests: [] });
    expect(judge({ observed: { running: built, named: built }, everGiven: true }).state).toBe('local');
    expect(judge({ observed: { running: built, named: local({ id: digest('2'), repoDigests: [] }) } }).state).toBe(
      'local',
    );
  });
  it('of another index with the same image for the platform is no update', () => {
    const running = local({ id: a, repoDigests: [`nginx@${a}`] });
    const observed = { imageId: a, running, named: running };
    const images = [remote({ digest: a, platformDigest: d }), remote({ digest: b, platformDigest: d })];
    expect(judge({ observed, answer: { digest: b }, images })).toMatchObject({
      state: 'index-only-change',
      candidates: [],
    });
    const pulled = { ...observed, named: local({ id: b, repoDigests: [`nginx@${b}`] }) };
    expect(judge({ observed: pulled, answer: { digest: b }, images }).state).toBe('index-only-change');
  });
});

describe('an image of the containerd image store', () => {
  const running = local({ id: a, repoDigests: [`nginx@${a}`] });
  const observed = { image: 'nginx:1.26.0', imageId: a, running, named: running };
  it('that came from a registry is not called local because access is denied now', () => {
    const denied = { failure: 'The registry refused access.', failureKind: 'denied' as const };
    const images = [remote({ digest: b })];
    expect(judge({ observed, answer: { digest: b, ...denied }, images })).toMatchObject({
      state: 'unknown',
      lastGoodState: 'digest-update',
      candidates: [{ digest: b }],
    });
    expect(judge({ observed, answer: denied, everGiven: true }).state).toBe('unknown');
    expect(judge({ observed, answer: { ...denied, signedIn: true } }).state).toBe('unknown');
  });
  it('whose tag is missing now is gone, not local', () => {
    expect(judge({ observed, answer: { digest: null }, everGiven: true }).state).toBe('gone');
  });
});

describe('newer tags that nobody looked for', () => {
  it('are unknown, not absent', () => {
    const never = judge({ answer: { digest: a }, labels: tags, asked: { tags: false } });
    expect(never).toMatchObject({ state: 'unknown', lastGoodState: 'up-to-date' });
    const other = { image: 'nginx:latest' };
    expect(judge({ observed: other, answer: { digest: a }, labels: tags, asked: { tags: false } }).state).toBe(
      'up-to-date',
    );
  });
  it('are unknown where the search was given up, and the reason is told beside what was found', () => {
    const tagsNote = '2.0.0 was left out: it holds nonsense.';
    expect(judge({ answer: { digest: a }, labels: tags, asked: { tagsNote } })).toMatchObject({
      state: 'unknown',
      reason: tagsNote,
    });
    const found = judge({
      answer: { digest: a, picks: [{ tag: '1.27.0', digest: b }] },
      images: [remote({ digest: b })],
      labels: tags,
      asked: { tagsNote },
    });
    expect(found).toMatchObject({ state: 'tag-update', reason: expect.stringContaining(tagsNote) });
  });
});

describe('an earlier image of a tag', () => {
  const young = {
    answer: { digest: c },
    images: [remote({ digest: b }), remote({ digest: c }), remote({ digest: d })],
  };
  const at = (name: string, hours: number, firstHours = hours) => ({
    digest: name,
    since: now - hours * hour,
    firstSeenAt: now - firstHours * hour,
  });
  const best = (history: Case['history'], more: Case = {}) =>
    bestCandidate(judge({ ...young, minimumAgeHours: 24, ...more, ...(history ? { history } : {}) }).candidates)
      ?.digest;

  it('is only one that came after the running one', () => {
    expect(best([at(c, 1), at(b, 30), at(a, 90)])).toBe(b);
    expect(best([at(c, 1), at(a, 30), at(b, 90)])).toBeUndefined();
  });
  it('is none where the running one was never seen', () => {
    expect(best([at(c, 1), at(b, 30)])).toBeUndefined();
  });
  it('is not one that the publisher has left for an older one', () => {
    // d, b, then back to d, then c; the container runs a, which was before all of them.
    expect(best([at(c, 1), at(d, 30, 80), at(b, 50), at(a, 90)])).toBe(d);
    expect(best([at(c, 1), at(d, 30, 80), at(b, 50), at(a, 90)], { quarantined: { [d]: 'x' } })).toBeUndefined();
    expect(best([at(c, 1), at(a, 30, 90), at(b, 50)])).toBeUndefined();
  });
});

describe('age and quarantine', () => {
  it('belong to the image of the platform, not to the index around it', () => {
    const images = [remote({ digest: b, platformDigest: d }), remote({ digest: c, platformDigest: d })];
    const history = [
      { digest: c, since: now - hour },
      { digest: b, since: now - 30 * hour },
    ];
    const [candidate] = judge({ answer: { digest: c }, images, history, minimumAgeHours: 24 }).candidates;
    expect(candidate).toMatchObject({ digest: c, blocked: null, firstSeenAt: new Date(now - 30 * hour).toISOString() });
    for (const name of [c, d, remote({ digest: c }).imageId ?? '']) {
      const held = judge({ answer: { digest: c }, images, quarantined: { [name]: 'It exited.' } });
      expect(held.candidates[0]?.blocked?.code).toBe('quarantined');
    }
  });
});

describe('a pinned image', () => {
  const observed = { image: `nginx:1.26.0@${a}` };
  it('whose tag moved to an index with the same image for the platform has not moved', () => {
    const images = [remote({ digest: b, platformDigest: c, imageId: digest('1') })];
    expect(judge({ observed, answer: { digest: b }, images }).state).toBe('pinned');
  });
  it('is not called moved before it is known what the tag names', () => {
    expect(judge({ observed, answer: { digest: b } })).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('pinned'),
    });
  });
});

describe('an image that was given its name by hand', () => {
  const running = local({ repoDigests: [`reg.lan/x/nginx@${a}`] });
  it('gets no update from the repository of that name', () => {
    const decision = judge({
      observed: { running },
      answer: { digest: b, picks: [{ tag: '1.27.0', digest: c }] },
      images: [remote({ digest: b }), remote({ digest: c })],
      labels: tags,
    });
    expect(decision).toMatchObject({
      state: 'unknown',
      candidates: [],
      reason: expect.stringContaining('did not come from docker.io/library/nginx'),
    });
    const named = local({ id: digest('2'), repoDigests: [`nginx@${b}`] });
    expect(judge({ observed: { running, named }, answer: { digest: b } })).toMatchObject({ candidates: [] });
    expect(judge({ observed: { running, named } })).toMatchObject({ state: 'pulled-not-applied', candidates: [] });
  });
  it('is up to date where the repository holds the same', () => {
    expect(judge({ observed: { running }, answer: { digest: a } }).state).toBe('up-to-date');
  });
});

describe('a tag that names something else than the running image', () => {
  it('is told with why it could not be read', () => {
    const decision = judge({ answer: { digest: b, unread: { 'linux/amd64': 'The pull limit is used up.' } } });
    expect(decision).toMatchObject({ state: 'unknown', reason: expect.stringContaining('pull limit') });
  });
  it('is a pull by hand where the engine has just that, though the registry does not let it be read', () => {
    const named = local({ id: digest('2'), repoDigests: [`nginx@${b}`] });
    expect(judge({ observed: { named }, answer: { digest: b }, asked: { named: digest('2') } })).toMatchObject({
      state: 'pulled-not-applied',
      candidates: [{ digest: b, imageId: digest('2') }],
    });
  });
  it('cannot be judged where the engine no longer has the running image, and nobody says that it moved', () => {
    const decision = judge({ observed: { running: undefined, named: undefined }, answer: { digest: b } });
    expect(decision).toMatchObject({ state: 'unknown', reason: expect.stringContaining('no longer has the image') });
    const known = judge({ observed: { running: undefined, named: undefined }, answer: { digest: b }, equals: [b] });
    expect(known.state).toBe('up-to-date');
  });
});

describe('what a candidate says', () => {
  it('is how much larger it is, where the running image is known', () => {
    const images = [remote({ digest: a, layerSizes: [100] }), remote({ digest: b })];
    expect(judge({ answer: { digest: b }, images }).candidates[0]).toMatchObject({
      sizeBytes: 120,
      sizeDeltaBytes: 20,
    });
    expect(judge({ answer: { digest: b }, images: images.slice(1) }).candidates[0]?.sizeDeltaBytes).toBeNull();
  });
  it('is why its changes are not known', () => {
    const images = [remote({ digest: b, unread: 'The registry cut the answer off.', defaults: {}, diffIds: [] })];
    expect(judge({ answer: { digest: b }, images }).candidates[0]).toMatchObject({
      unread: 'The registry cut the answer off.',
      configChanges: [],
      blocked: null,
    });
  });
});

it('tags are compared as a label transforms them', () => {
  const labels = { ...tags, 'wud.tag.transform': '^(\\d+\\.\\d+\\.\\d+)-.*$ => $1' };
  const decision = judge({
    observed: { image: 'nginx:1.26.0-a1' },
    answer: { digest: a, picks: [{ tag: '1.27.0-b7', digest: b }] },
    images: [remote({ digest: b })],
    labels,
  });
  expect(decision).toMatchObject({ state: 'tag-update', candidates: [{ tag: '1.27.0-b7', level: 'minor' }] });
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
