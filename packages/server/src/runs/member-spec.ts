import type { Engine } from '../platform/engine/engine.ts';
import type { Environment } from './environment.ts';
import { type JournalMember, type JournalRun, taggable } from './run.ts';
import { buildReplacement, buildRestoration } from './spec.ts';
import type { ReplacementSpec } from './spec-types.ts';

/**
 * What is sent to create a member's replacement, or to create its old container again. What shares a namespace with another member
 * points at the container that takes that one's place.
 */
export async function memberSpec(
  engine: Engine,
  run: JournalRun,
  member: JournalMember,
  which: 'old' | 'new',
  environment: Environment,
): Promise<ReplacementSpec> {
  const replaced: Record<string, { id: string; name: string }> = {};
  for (const other of run.members) {
    const id = which === 'new' ? other.progress.newId : other.progress.restoredId;
    if (id !== null && other.name !== member.name) replaced[other.inspect.Id] = { id, name: other.name };
  }
  const { inspect, oldImage } = member;
  if (which === 'old') {
    const image = inspect.Config.Image ?? '';
    const options = { ...environment, replaced };
    // A tag is led to the old image while the container is created; other references cannot be.
    const fits = taggable(image) !== undefined || (await engine.images.inspect(image))?.Id === oldImage.Id;
    return buildRestoration(inspect, oldImage, fits ? { ...options, image } : options);
  }
  const newImage = member.role === 'update' ? member.progress.newImage : oldImage;
  if (newImage === null) throw new Error(`The new image of ${member.name} is not known.`);
  return buildReplacement({
    ...environment,
    container: inspect,
    oldImage,
    newImage,
    image: member.image,
    replaced,
    emptyVolumes: new Set(member.emptyVolumes),
    nameAlias: run.strategy === 'start-first',
    finalName: member.name,
  });
}
