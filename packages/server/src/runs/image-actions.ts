import type { Engine } from '../platform/engine/engine.ts';
import { EngineError } from '../platform/engine/engine.ts';
import type { ImageInspect } from '../platform/engine/engine-types.ts';
import { describeError, Fault } from '../platform/fault.ts';
import type { Registries } from '../registries/index.ts';
import type { NameQueue } from './name-queue.ts';
import { type Action, type JournalMember, type Target, taggable } from './run.ts';

/** The pulled image turned out to be the one that runs: there is nothing to replace. */
export class SameImage extends Error {
  readonly image: ImageInspect;

  constructor(image: ImageInspect) {
    super('The image is the running one.');
    this.name = 'SameImage';
    this.image = image;
  }
}

export interface PullContext {
  readonly engine: Engine;
  readonly registries: Registries;
  readonly member: JournalMember;
  readonly target: Target;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/**
 * Pulls, and proves that the engine now has the image of the candidate. Throws `SameImage` when it is the running one, and a Fault
 * that says who is at fault otherwise. Nothing has been touched so far.
 */
export async function pullImage(context: PullContext, action: Extract<Action, { do: 'pull' }>): Promise<ImageInspect> {
  const { engine, registries, member, target, signal, onProgress } = context;
  const auth = await registries.pullAuth(action.registryHost);
  const layers = new Map<string, { current: number; total: number }>();
  let said = 0;
  try {
    await engine.images.pull(action.reference, {
      ...(action.platform === null ? {} : { platform: action.platform }),
      ...(auth === undefined ? {} : { auth }),
      signal,
      onProgress: ({ status, layer, current, total }) => {
        if (layer === undefined || current === undefined || total === undefined) return;
        layers.set(layer, { current, total });
        const sum = [...layers.values()];
        const percent = Math.floor(
          (100 * sum.reduce((all, one) => all + one.current, 0)) /
            Math.max(
              1,
              sum.reduce((all, one) => all + one.total, 0),
            ),
        );
        if (percent === said) return;
        said = percent;
        onProgress(`${status} ${percent} %`);
      },
    });
  } catch (error) {
    throw pullFault(action, error);
  }
  const image = await engine.images.inspect(action.reference, signal);
  if (image === undefined)
    throw new Fault('engine_refused', `The engine pulled ${action.reference}, but does not know it afterwards.`);
  if (!isWished(image, target)) {
    throw new Fault(
      'engine_refused',
      `The engine pulled ${action.reference} and got the image ${image.Id}, which is not the one that was checked (${target.imageIds.join(' or ')}). The old container was not touched.`,
    );
  }
  if (image.Id === member.inspect.Image) throw new SameImage(image);
  return image;
}

function isWished(image: ImageInspect, target: Target): boolean {
  if (target.imageIds.length > 0) return target.imageIds.includes(image.Id);
  return (image.RepoDigests ?? []).some((digest) => digest.endsWith(`@${target.digest}`));
}

function pullFault(action: Extract<Action, { do: 'pull' }>, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const message = describeError(error);
  const denied = /unauthorized|denied|authentication required|no basic auth/i.test(message);
  const what = `Pulling ${action.reference} failed: ${message}. The old container was not touched.`;
  return denied
    ? new Fault('registry_denied', `${what} Check the credentials of ${action.registryHost}.`, { cause: error })
    : new Fault('registry_sick', what, { cause: error });
}

/**
 * Does work while a reference names one image, then lets it name what it named before. Several runs may work with one tag: a container
 * of the old image and one of the new must not be created while the other's image has it.
 */
export async function withReference<T>(
  { engine, host, references }: { engine: Engine; host: string; references: NameQueue },
  wanted: { reference: string; imageId: string },
  work: () => Promise<T>,
): Promise<T> {
  const { reference, imageId } = wanted;
  if (taggable(reference) === undefined) return work();
  const turn = references.enter([`${host} ${reference}`]);
  try {
    await turn.ready;
    const named = (await engine.images.inspect(reference))?.Id;
    if (named === imageId) return await work();
    await tagImage(engine, imageId, reference);
    try {
      return await work();
    } finally {
      if (named !== undefined) await tagImage(engine, named, reference);
    }
  } finally {
    turn.leave();
  }
}

/** Points a reference at an image. */
export async function tagImage(engine: Engine, imageId: string, reference: string): Promise<void> {
  const target = taggable(reference);
  if (target === undefined) return;
  await engine.images.tag(imageId, target.repository, target.tag);
}
