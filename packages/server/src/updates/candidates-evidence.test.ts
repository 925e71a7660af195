import { describe, expect, it } from 'vitest';
import { bestCandidate } from './candidate.ts';
import { a, b, type Case, c, d, digest, hour, judge, local, now, remote, tags } from './judge-bench.ts';

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
