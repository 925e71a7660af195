import type { Finding } from '@evenkeel/contract';
import type { ContainerInspect, ImageInspect } from '../platform/engine/engine-types.ts';
import { finding } from './run.ts';
import { namespaceOwner, plainName } from './spec-api.ts';

/** What is known beside the container itself. What is absent is not looked at. */
export interface RefusalContext {
  /** Id of the container in which we run. */
  readonly self?: string | undefined;
  /** Containers that exist, by id and by name. */
  readonly existing?: ReadonlySet<string>;
  /** Containers that are replaced in the same run, by old id. */
  readonly replaced?: Readonly<Record<string, unknown>>;
  /** Networks of the engine by name. */
  readonly networks?: Readonly<Record<string, unknown>>;
}

const swarmTask = 'com.docker.swarm.task.id';

/**
 * Why this container must not be replaced; empty when nothing stands against it. Refuse rather than guess: a refusal costs
 * nothing, a wrong replacement does. `oldImage` undefined: it is not on the engine any more; `newImage` undefined: not known yet.
 */
export function refusalsFor(
  container: ContainerInspect,
  oldImage: ImageInspect | undefined,
  newImage: ImageInspect | undefined,
  context: RefusalContext = {},
): Finding[] {
  return [
    ...stateRefusals(container),
    ...ownershipRefusals(container, context),
    ...imageRefusals(container, oldImage, newImage),
    ...lostPartRefusals(container, context),
  ];
}

/** What makes it impossible to replace a container whatever image it is to get: also asked of dependants. */
export function stateRefusals(container: ContainerInspect): Finding[] {
  const name = plainName(container.Name);
  const { State } = container;
  if (State.Paused || State.Status === 'paused') {
    return [
      finding(
        'paused',
        `${name} is paused: it could not be stopped in order.`,
        `Resume it first: docker unpause ${name}`,
      ),
    ];
  }
  if (State.Status === 'removing') {
    return [finding('removing', `${name} is being removed.`, 'Wait until it is gone.')];
  }
  if (State.Dead || State.Status === 'dead') {
    return [
      finding(
        'dead',
        `${name} is dead: the engine failed to remove it and will not start it again.`,
        `Remove it (docker rm -f ${name}) and create it anew.`,
      ),
    ];
  }
  return [];
}

function ownershipRefusals(container: ContainerInspect, { self }: RefusalContext): Finding[] {
  const name = plainName(container.Name);
  const findings: Finding[] = [];
  if (container.Config.Labels?.[swarmTask] !== undefined) {
    findings.push(
      finding(
        'swarm-task',
        `${name} is a task of a Swarm service: Swarm would replace it, or lose it when it is renamed.`,
        'Update the service instead: docker service update --image …',
      ),
    );
  }
  if (self !== undefined && container.Id === self) {
    findings.push(
      finding(
        'self',
        `${name} is the container in which Evenkeel itself runs: it cannot stop itself and finish the work.`,
        'Update it from outside: docker compose pull && docker compose up -d',
      ),
    );
  }
  return findings;
}

function imageRefusals(
  container: ContainerInspect,
  oldImage: ImageInspect | undefined,
  newImage: ImageInspect | undefined,
): Finding[] {
  const name = plainName(container.Name);
  const findings: Finding[] = [];
  if (isBareId(container, oldImage)) {
    findings.push(
      finding(
        'bare-image-id',
        `${name} was created from an image id (${container.Config.Image ?? ''}), which names no repository to look in.`,
        'Create it from a name: repository:tag',
      ),
    );
  }
  if (oldImage?.Config === undefined || oldImage.Config === null) {
    findings.push(
      finding(
        'old-image-missing',
        `The image of ${name} (${container.Image}) is not on the engine any more, so its settings cannot be told from yours.`,
        'Pull that image again, or create the container anew.',
      ),
    );
  }
  if (oldImage !== undefined && newImage !== undefined && !samePlatform(oldImage, newImage)) {
    findings.push(
      finding(
        'platform-mismatch',
        `The new image is for ${platformOf(newImage)}, but ${name} runs on ${platformOf(oldImage)}.`,
        `Take a tag that is published for ${platformOf(oldImage)}.`,
      ),
    );
  }
  return findings;
}

/** Started once more, the container would fail: it must not be stopped. Also asked of dependants. */
export function lostPartRefusals(container: ContainerInspect, context: RefusalContext): Finding[] {
  const name = plainName(container.Name);
  const { existing, networks, replaced = {} } = context;
  const { NetworkMode, PidMode, IpcMode } = container.HostConfig;
  const findings: Finding[] = [];
  for (const [kind, mode] of Object.entries({ network: NetworkMode, process: PidMode, IPC: IpcMode })) {
    const owner = namespaceOwner(mode);
    if (owner === undefined || existing === undefined || existing.has(owner) || replaced[owner] !== undefined) continue;
    findings.push(
      finding(
        'namespace-owner-gone',
        `${name} shares the ${kind} namespace of a container that no longer exists (${owner.slice(0, 12)}): once stopped it could not start again.`,
        `Create ${name} anew with the container that took its place.`,
      ),
    );
  }
  for (const network of networks === undefined ? [] : Object.keys(container.NetworkSettings.Networks)) {
    if (networks?.[network] !== undefined) continue;
    findings.push(
      finding(
        'network-gone',
        `${name} is attached to the network ${network}, which no longer exists.`,
        `Create the network, or disconnect the container: docker network disconnect -f ${network} ${name}`,
      ),
    );
  }
  return findings;
}

/** `sha256:…`, or the beginning of the image's own id that is no name of the image. */
function isBareId(container: ContainerInspect, oldImage: ImageInspect | undefined): boolean {
  const reference = container.Config.Image ?? '';
  if (/^sha256:[0-9a-f]+$/.test(reference)) return true;
  if (!/^[0-9a-f]+$/.test(reference)) return false;
  const isName = (oldImage?.RepoTags ?? []).includes(`${reference}:latest`);
  return !isName && container.Image.replace('sha256:', '').startsWith(reference);
}

function samePlatform(left: ImageInspect, right: ImageInspect): boolean {
  return left.Os === right.Os && left.Architecture === right.Architecture;
}

function platformOf({ Os, Architecture, Variant }: ImageInspect): string {
  return [Os, Architecture, Variant].filter((part) => part !== undefined && part !== '').join('/');
}
