import {
  type Image,
  images,
  type PushedImage,
  pushImage,
  type TestEngine,
  type TestRegistry,
  uniqueName,
} from '@evenkeel/testbed';
import { expect } from 'vitest';
import type { ContainerInspect } from '../../packages/server/src/platform/engine/engine-types.ts';
import type { ChosenCandidate } from '../../packages/server/src/updates/updates.ts';
import { candidateFor } from '../scenarios/offer.ts';

/** The images of all subjects: an old one with data in it, and new ones, good and bad. */
export interface SubjectImages {
  readonly repository: string;
  readonly old: PushedImage;
  readonly good: PushedImage;
  readonly bad: PushedImage;
}

export type Kind = 'always' | 'rm' | 'failing' | 'start-first' | 'group';
export const kinds: readonly Kind[] = ['always', 'rm', 'failing', 'start-first', 'group'];

/** A container (or a group) that is to survive a kill. */
export interface Subject {
  readonly name: string;
  readonly kind: Kind;
  /** The next update: the bad image, or whichever of the two good ones does not run. */
  chosen: ChosenCandidate;
  readonly dependant: string | undefined;
  readonly volume: string;
  /** Name of the anonymous volume, in which a file was written after the start. */
  readonly anonymous: string;
}

const withData = (version: string): Promise<Image> =>
  images.listens({
    version,
    volumes: ['/anonymous'],
    files: [
      { path: 'data', directory: true },
      { path: 'data/origin', content: `data of version ${version}\n` },
    ],
  });

export async function pushImages(engine: TestEngine, registry: TestRegistry): Promise<SubjectImages> {
  const repository = uniqueName('chaos');
  const old = await pushImage(registry, repository, 'old', await withData('1'));
  const good = await pushImage(registry, repository, 'good', await withData('2'));
  const bad = await pushImage(registry, repository, 'bad', await images.exitsAtOnce());
  for (const { reference } of [old, good, bad]) await engine.docker('pull', '-q', reference);
  return { repository, old, good, bad };
}

let made = 0;

/** Starts the subject from the old image under a tag of its own, so that subjects do not disturb each other. */
export async function makeSubject(
  engine: TestEngine,
  registry: TestRegistry,
  pushed: SubjectImages,
  kind: Kind,
): Promise<Subject> {
  made += 1;
  const number = made;
  const name = uniqueName(`chaos-${kind}`);
  const image = `${registry.host}/${pushed.repository}:${name}`;
  await call(
    engine,
    'POST',
    `/images/${pushed.old.imageId}/tag?repo=${registry.host}/${pushed.repository}&tag=${name}`,
  );
  const volume = `${name}-data`;
  const hostConfig: Record<string, unknown> = { Binds: [`${volume}:/data`] };
  const body: Record<string, unknown> = { Image: image, HostConfig: hostConfig };
  if (kind === 'rm') hostConfig['AutoRemove'] = true;
  else hostConfig['RestartPolicy'] = { Name: 'always' };
  if (kind === 'start-first') {
    hostConfig['NetworkMode'] = 'chaos';
    body['Labels'] = { 'evenkeel.strategy': 'start-first', 'evenkeel.start-first.safe-mounts': '*' };
    body['NetworkingConfig'] = { EndpointsConfig: { chaos: { Aliases: ['web'] } } };
  } else {
    // Every subject has an address of its own, so that the port is fixed and still free.
    const HostIp = `127.77.${Math.floor(number / 250)}.${(number % 250) + 1}`;
    hostConfig['PortBindings'] = { '80/tcp': [{ HostIp, HostPort: '8080' }] };
    body['ExposedPorts'] = { '80/tcp': {} };
  }
  await create(engine, name, body);
  let dependant: string | undefined;
  if (kind === 'group') {
    dependant = `${name}-side`;
    await create(engine, dependant, {
      Image: image,
      Entrypoint: ['sleeper'],
      Cmd: [],
      HostConfig: { NetworkMode: `container:${name}`, RestartPolicy: { Name: 'always' } },
    });
  }
  await engine.docker('exec', name, 'sh', '-c', `echo ${name} > /anonymous/marker`);
  const { Mounts } = await inspect(engine, name);
  const subject = {
    name,
    kind,
    chosen: candidate(registry, pushed, name, kind, pushed.old.imageId),
    dependant,
    volume,
    anonymous: Mounts.find(({ Destination }) => Destination === '/anonymous')?.Name ?? '',
  };
  return subject;
}

function candidate(
  registry: TestRegistry,
  pushed: SubjectImages,
  name: string,
  kind: Kind,
  running: string,
): ChosenCandidate {
  const other = running === pushed.good.imageId ? pushed.old : pushed.good;
  const target = kind === 'failing' ? pushed.bad : other;
  const image = `${registry.host}/${pushed.repository}:${name}`;
  return { ...candidateFor(registry, pushed.repository, name, target), image };
}

/** Makes the subject ready for another run: the next update leads to the image that does not run now. */
export async function turnRound(
  engine: TestEngine,
  registry: TestRegistry,
  pushed: SubjectImages,
  subject: Subject,
): Promise<void> {
  const container = await inspect(engine, subject.name);
  subject.chosen = candidate(registry, pushed, subject.name, subject.kind, container.Image);
}

/** Exactly one container under the name, right in every respect, and nothing left of the run. */
export async function expectOneRight(engine: TestEngine, pushed: SubjectImages, subject: Subject): Promise<void> {
  const { name, kind, dependant } = subject;
  const filters = encodeURIComponent(JSON.stringify({ name: [name] }));
  const listed = (await call(engine, 'GET', `/containers/json?all=1&filters=${filters}`)) as { Names: string[] }[];
  const names = listed.map(({ Names }) => Names[0]).sort();
  expect(names).toEqual([`/${name}`, ...(dependant === undefined ? [] : [`/${dependant}`])]);
  const container = await inspect(engine, name);
  expect(container.State.Running).toBe(true);
  expect(container.HostConfig.RestartPolicy?.Name || 'no').toBe(kind === 'rm' ? 'no' : 'always');
  expect(container.HostConfig.AutoRemove).toBe(kind === 'rm');
  const allowed = kind === 'failing' ? [pushed.old.imageId] : [pushed.old.imageId, pushed.good.imageId];
  expect(allowed).toContain(container.Image);
  expect(container.Config.Image).toBe(subject.chosen.image);
  if (kind === 'start-first') expect(container.NetworkSettings.Networks['chaos']?.Aliases).toContain('web');
  else expect(container.NetworkSettings.Ports?.['80/tcp']?.[0]?.HostPort).toBe('8080');
  const named = (await call(engine, 'GET', `/images/${encodeURIComponent(subject.chosen.image)}/json`)) as {
    Id: string;
  };
  expect(named.Id, 'the tag names the image that runs').toBe(container.Image);
  const archive = await engine.request('GET', `/containers/${name}/archive?path=/data/origin`);
  expect(archive.text).toContain('data of version 1');
  const marker = await engine.request('GET', `/containers/${name}/archive?path=/anonymous/marker`);
  expect(marker.text).toContain(name);
  const mounted = container.Mounts.map(({ Destination, Name }) => [Destination, Name]).sort();
  expect(mounted).toEqual([
    ['/anonymous', subject.anonymous],
    ['/data', subject.volume],
  ]);
  if (dependant !== undefined) {
    const side = await inspect(engine, dependant);
    expect(side.State.Running).toBe(true);
    expect(side.HostConfig.NetworkMode).toBe(`container:${container.Id}`);
    expect(side.HostConfig.RestartPolicy?.Name).toBe('always');
  }
}

export async function removeSubject(
  engine: TestEngine,
  { name, dependant, volume, anonymous }: Subject,
): Promise<void> {
  if (dependant !== undefined) await engine.request('DELETE', `/containers/${dependant}?force=1&v=1`);
  await engine.request('DELETE', `/containers/${name}?force=1&v=1`);
  for (const one of [volume, anonymous]) await engine.request('DELETE', `/volumes/${one}`);
}

async function inspect(engine: TestEngine, name: string): Promise<ContainerInspect> {
  return (await call(engine, 'GET', `/containers/${name}/json`)) as ContainerInspect;
}

async function create(engine: TestEngine, name: string, body: object): Promise<void> {
  await call(engine, 'POST', `/containers/create?name=${name}`, body);
  await call(engine, 'POST', `/containers/${name}/start`);
}

async function call(engine: TestEngine, method: string, path: string, body?: object): Promise<unknown> {
  const { status, text, body: answer } = await engine.request(method, path, body);
  if (status >= 400) throw new Error(`${method} ${path} answered ${status}: ${text}`);
  return answer;
}
