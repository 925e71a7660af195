import type { CollectionChange, CollectionTopic } from '@evenkeel/contract';
import type { CollectionDelta } from '../../bus/live-collection.ts';
import { createListeners } from '../../listeners.ts';
import type { ReadableCollection } from './stream.ts';

/** A frame ready to be sent, and the position up to which its reader is complete. */
export interface Frame {
  readonly text: string;
  readonly position: string;
}

/** One collection as frames: each delta and each snapshot is serialised once, however many clients read it. */
export interface Topic {
  readonly name: CollectionTopic;
  readonly position: string;
  snapshot(): Frame;
  /** What is missing after `position`: nothing, one merged delta, or a snapshot when the gap is too old. */
  after(position: string): Frame | undefined;
  subscribe(listener: (frame: Frame) => void): () => void;
  close(): void;
}

export function createTopic(name: CollectionTopic, collection: ReadableCollection): Topic {
  const listeners = createListeners<Frame>();
  let cached: Frame | undefined;

  const deltaFrame = ({ position, changes }: CollectionDelta): Frame => ({
    text: JSON.stringify({ type: 'delta', topic: name, position, changes }),
    position,
  });
  const snapshot = (): Frame => {
    const { position } = collection;
    if (cached?.position !== position) {
      cached = {
        text: JSON.stringify({ type: 'snapshot', topic: name, position, items: [...collection.values()] }),
        position,
      };
    }
    return cached;
  };
  const stop = collection.subscribe((delta) => {
    if (listeners.size === 0) return;
    listeners.tell(deltaFrame(delta));
  });

  return {
    name,
    get position() {
      return collection.position;
    },
    snapshot,
    after: (position) => {
      const missed = collection.since(position);
      if (missed === undefined) return snapshot();
      return missed.length === 0 ? undefined : deltaFrame({ position: collection.position, changes: merged(missed) });
    },
    subscribe: listeners.add,
    close: stop,
  };
}

/** The last change of each key, in the order of those last changes. */
function merged(deltas: readonly CollectionDelta[]): CollectionChange[] {
  const last = new Map<string, CollectionChange>();
  for (const change of deltas.flatMap((delta) => delta.changes)) {
    last.delete(change.key);
    last.set(change.key, change);
  }
  return [...last.values()];
}
