import type { ContainerInspect, ImageInspect } from '../platform/engine/engine-types.ts';
import type { Seen, SeenMember } from './recover.ts';
import { type Failure, type JournalMember, type JournalRun, type Target, workNames } from './run.ts';

/** Values for the tests of the pure files: what an engine would have shown, as small as it can be. */
export const oldImage: ImageInspect = {
  Id: 'sha256:old',
  RepoTags: ['nginx:1'],
  RepoDigests: [],
  Architecture: 'amd64',
  Os: 'linux',
  Size: 1,
  Config: {},
};
export const newImage: ImageInspect = { ...oldImage, Id: 'sha256:new' };

export const target: Target = {
  image: 'nginx:1',
  tag: '1',
  digest: 'sha256:digest',
  manifestDigest: 'sha256:digest',
  candidateId: '1@sha256:digest',
  repository: 'docker.io/library/nginx',
  pull: { reference: 'nginx@sha256:digest', registryHost: 'docker.io', platform: null },
  imageIds: ['sha256:new'],
  undoes: null,
};

export function inspectOf(name: string, part: Partial<ContainerInspect> = {}): ContainerInspect {
  return {
    Id: `id-${name}`,
    Name: `/${name}`,
    Created: '',
    Path: '',
    Args: [],
    Image: oldImage.Id,
    RestartCount: 0,
    State: {
      Status: 'running',
      Running: true,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      ExitCode: 0,
      Error: '',
      StartedAt: '',
      FinishedAt: '',
    },
    HostConfig: { RestartPolicy: { Name: 'always' } },
    Mounts: [],
    Config: { Image: 'nginx:1' },
    NetworkSettings: { Networks: { bridge: {} } },
    ...part,
  };
}

export function memberOf(name: string, part: Partial<JournalMember> = {}): JournalMember {
  return {
    name,
    role: 'update',
    relation: null,
    inspect: inspectOf(name),
    oldImage,
    image: 'nginx:1',
    wasRunning: true,
    policy: { Name: 'always', MaximumRetryCount: 0 },
    autoRemove: false,
    emptyVolumes: [],
    injected: [],
    connects: [],
    gate: { seconds: 15 },
    referenceBefore: oldImage.Id,
    progress: { newId: `new-${name}`, newImage, holderId: null, restoredId: null, spec: null },
    ...part,
  };
}

export function runOf(members: readonly JournalMember[], part: Partial<JournalRun> = {}): JournalRun {
  return {
    id: 'op',
    wish: { host: 'local', name: members[0]?.name ?? '', kind: 'update', target, strategy: null, gate: null },
    strategy: 'recreate',
    phase: part.furthest ?? 'PLANNED',
    furthest: 'PLANNED',
    failure: null,
    members,
    ...part,
  };
}

export function seenOld(name: string, part: Partial<Seen> = {}): Seen {
  return { id: `id-${name}`, name, running: true, policy: 'always', networks: ['bridge'], ...part };
}

export function seenNew(name: string, part: Partial<Seen> = {}): Seen {
  return { ...seenOld(name), id: `new-${name}`, name: workNames(name, 'op').next, running: false, ...part };
}

export function now(part: Partial<SeenMember>): SeenMember {
  return {
    old: undefined,
    new: undefined,
    holder: undefined,
    nameOwner: undefined,
    reference: oldImage.Id,
    ...part,
  };
}

export const badImage: Failure = { cause: 'image', code: 'conflict', reason: 'web exited.', leaveStopped: [] };
