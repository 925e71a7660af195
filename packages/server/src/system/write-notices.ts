import type { SystemNotice } from '@evenkeel/contract';
import type { WriteTrouble, Writing } from '../platform/store/writing.ts';
import type { Notices } from './notices.ts';

const noticeOf: Readonly<Record<WriteTrouble, SystemNotice>> = {
  disk_full: {
    code: 'database_full',
    severity: 'error',
    text: 'The disk of the data folder is full. You can log in and look; nothing can be changed and no update runs.',
    remedy: 'Free some space; it goes on by itself then.',
  },
  read_only: {
    code: 'database_read_only',
    severity: 'error',
    text: 'The database cannot be written any more. You can log in and look; nothing can be changed and no update runs.',
    remedy: 'Look at the disk and at the rights of the data folder; it goes on by itself once it can be written.',
  },
};

/** Keeps a notice for as long as the database cannot be written. Returns the way to stop. */
export function watchWriting(writing: Writing, notices: Notices): () => void {
  const look = (trouble: WriteTrouble | undefined) => {
    for (const [of, notice] of Object.entries(noticeOf)) {
      if (of === trouble) notices.set(notice);
      else notices.clear(notice.code);
    }
  };
  if (writing.trouble !== undefined) look(writing.trouble);
  return writing.onChange(look);
}
