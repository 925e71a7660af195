import type { Run } from '@evenkeel/contract';
import type { Hosts } from '../hosts/index.ts';
import type { LiveCollection } from '../platform/bus/live-collection.ts';
import { type Engine, EngineError } from '../platform/engine/engine.ts';
import { describeError } from '../platform/fault.ts';
import type { Log } from '../platform/log/log.ts';
import type { Journal, StoredRun } from './journal-store.ts';
import { isFinished } from './run.ts';

const keptRuns = 50;

export interface RetentionParts {
  readonly hosts: Hosts;
  readonly journal: Journal;
  readonly collection: LiveCollection<Run>;
  readonly log: Log;
}

/**
 * Keeps the images of the last `keepImages` versions of one container and its newest 50 runs, and forgets the rest: tags of ours,
 * never others; the images that have no tag then; sealed facts and logs with the image that they belong to. What fails is left for the next time.
 */
export async function keepRecent(
  parts: RetentionParts,
  place: { host: string; name: string },
  keepImages: number,
): Promise<void> {
  const { hosts, journal, collection, log } = parts;
  const mine = journal
    .all()
    .filter(({ run }) => run.host === place.host && run.name === place.name && isFinished(run.state))
    .toReversed();
  const kept = new Set<string>();
  for (const stored of mine) {
    const { run, keptImage } = stored;
    if (keptImage === null) continue;
    const worth = run.state === 'committed' && run.oldContainer !== run.newContainer && run.newContainer !== null;
    if (worth && (kept.has(run.from.imageId) || kept.size < keepImages)) {
      kept.add(run.from.imageId);
      continue;
    }
    try {
      const engine = hosts.engine(place.host);
      await unlessUsed(engine.images.remove(keptImage));
      await freeImage(engine, run.from.imageId);
      forget(parts, stored);
    } catch (error) {
      log.warn({ run: run.id, image: keptImage, reason: describeError(error) }, 'an old image could not be removed');
    }
  }
  const surplus = mine.slice(keptRuns).filter(({ run }) => !kept.has(run.from.imageId) || run.state !== 'committed');
  if (surplus.length === 0) return;
  const ids = surplus.map(({ run }) => run.id);
  journal.remove(ids);
  collection.publish([], ids);
}

/**
 * Removes an image that has no name any more. The digest by which it was pulled stays when its last tag goes, and with it the image:
 * for ever, because nobody sees it. One that a container was made from is left; nothing is forced.
 */
async function freeImage(engine: Engine, id: string): Promise<void> {
  const image = await engine.images.inspect(id);
  if (image === undefined || (image.RepoTags ?? []).length > 0) return;
  const containers = await engine.containers.list();
  if (containers.some(({ ImageID }) => ImageID === image.Id)) return;
  const digests = image.RepoDigests ?? [];
  // An image with digests in several repositories cannot be removed by its id; it goes with the last of them.
  for (const reference of digests.length === 0 ? [image.Id] : digests)
    await unlessUsed(engine.images.remove(reference));
}

/** Refused while something uses the image: then it stays. */
async function unlessUsed(removal: Promise<void>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!(error instanceof EngineError && error.status === 409)) throw error;
  }
}

function forget({ journal, collection }: RetentionParts, stored: StoredRun): void {
  const run: Run = { ...stored.run, rollbackAvailable: false, oldLog: null };
  journal.forgetMembers(run.id);
  journal.write(
    { ...stored, run, keptImage: null },
    { phase: run.phase, event: 'note', text: 'the replaced image is no longer kept' },
  );
  collection.put(run);
}
