import { defaultSettings } from '@evenkeel/contract';
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

export const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
export const now = Date.parse('2026-11-25T09:00:00Z');
export const hour = 3_600_000;
const readPolicy = createPolicyReader();

export function local(part: Partial<LocalImage> = {}): LocalImage {
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
export function remote(part: Partial<RemoteImage> & { digest: string }): RemoteImage {
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
/** For tests: what is known of a container that runs `nginx:1.26.0` with the digest `a`. */
export interface Case {
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
export function judge(one: Case): Decision {
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
export const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(digest) as [string, string, string, string];
export const tags = { 'evenkeel.tags': 'true' };
