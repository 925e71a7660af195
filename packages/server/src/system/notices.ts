import type { SystemNotice } from '@evenkeel/contract';
import { LiveCollection } from '../platform/bus/live-collection.ts';

/** What people have to know and act on: a sick host, a read-only database, a rollback that cannot finish. One notice per code. */
export interface Notices {
  readonly collection: LiveCollection<SystemNotice>;
  set(notice: SystemNotice): void;
  clear(code: string): void;
}

export function createNotices(): Notices {
  const collection = new LiveCollection<SystemNotice>({ topic: 'notices', keyOf: (notice) => notice.code });
  return {
    collection,
    set: (notice) => collection.put(notice),
    clear: (code) => collection.remove(code),
  };
}
