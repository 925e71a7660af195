import { posix } from 'node:path';
import type { Finding } from '@evenkeel/contract';
import type { ContainerInspect, CreateBody } from '../platform/engine/engine-types.ts';
import { plainName } from './spec-api.ts';
import type { ReplacementSpec } from './spec-types.ts';

/** Where Evenkeel keeps what the next instance needs. Absolute paths, inside our own container where we run in one. */
export interface Home {
  readonly dataDir: string;
  readonly keyFile: string | undefined;
}

/** What our own container is for us, beside what the engine says of it. */
export interface OwnSite {
  readonly home: Home;
  readonly endpoint: string;
  /** Containers that would have to be stopped with it. */
  readonly dependants: readonly string[];
  /** Files that are copied from its writable layer into the replacement. */
  readonly injected: readonly string[];
}

/**
 * Why the container in which we run cannot be replaced by a helper; empty when it can. The helper and the new one must reach the same
 * data and the same engine as we do.
 */
export function handoverRefusals(container: ContainerInspect, own: OwnSite): Finding[] {
  const { dataDir, keyFile } = own.home;
  const reasons: string[] = [];
  if (!isMounted(container, dataDir))
    reasons.push(`its data folder ${dataDir} is not on a volume: the new one would begin without data`);
  if (keyFile !== undefined && !isMounted(container, keyFile) && !own.injected.includes(keyFile))
    reasons.push(`its key file ${keyFile} is not on a volume: the new one could not open the stored secrets`);
  const socket = /^unix:\/\/(.*)$/.exec(own.endpoint)?.[1];
  if (socket !== undefined && !isMounted(container, socket))
    reasons.push(`the engine's socket ${socket} is not mounted into it: a helper could not reach the engine`);
  if (container.HostConfig.AutoRemove === true)
    reasons.push('it was started with --rm: once stopped it is gone, and there would be no way back');
  if (own.dependants.length > 0)
    reasons.push(`${own.dependants.join(', ')} would have to be stopped with it, and nobody would take care of them`);
  const name = plainName(container.Name);
  return reasons.map((reason) => ({
    code: 'self',
    text: `${name} is the container in which Evenkeel itself runs, and ${reason}.`,
    remedy: 'Update it from outside: docker compose pull && docker compose up -d',
  }));
}

function isMounted(container: ContainerInspect, path: string): boolean {
  const wanted = plainPath(path);
  return container.Mounts.some(({ Type, Destination }) => {
    if (Type !== 'volume' && Type !== 'bind') return false;
    const target = plainPath(Destination);
    return target === '/' || wanted === target || wanted.startsWith(`${target}/`);
  });
}

/** `/var/run` is a link to `/run` in every image that people use. */
function plainPath(path: string): string {
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1');
  return clean.replace(/^\/var\/run(?=\/|$)/, '/run');
}

/**
 * The helper: our own container once more, from the image that runs and is known to work, with the same data, engine, user and
 * networks, but with nothing by which others find it (ports, names, labels) and another task. It always comes up again.
 *
 * `restored`: the spec that would bring our own container back.
 */
export function helperSpec(restored: ReplacementSpec, container: ContainerInspect, run: string): ReplacementSpec {
  const { ExposedPorts: _ports, MacAddress: _mac, NetworkingConfig, HostConfig, ...config } = restored.create;
  const { PortBindings: _bindings, PublishAllPorts: _all, ...host } = HostConfig;
  const networks = Object.keys(NetworkingConfig?.EndpointsConfig ?? {});
  const create: CreateBody = {
    ...config,
    Cmd: [...(container.Config.Cmd ?? []), takeOverCommand, run],
    Labels: { 'evenkeel.watch': 'false' },
    Healthcheck: { Test: ['NONE'] },
    HostConfig: { ...host, RestartPolicy: { Name: 'always' } },
    ...(networks.length === 0
      ? {}
      : { NetworkingConfig: { EndpointsConfig: Object.fromEntries(networks.map((name) => [name, {}])) } }),
  };
  return { ...restored, create, connects: restored.connects.map(({ network }) => ({ network, endpoint: {} })) };
}

/** The last argument but one of a helper; the last one is the run. */
export const takeOverCommand = 'take-over';
