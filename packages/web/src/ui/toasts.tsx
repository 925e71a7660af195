import { CircleCheck, TriangleAlert, X } from 'lucide-react';
import { Toast } from 'radix-ui';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

export interface Notice {
  id: number;
  kind: 'done' | 'failed';
  title: string;
  detail?: string | undefined;
}

let notices: readonly Notice[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: readonly Notice[]) {
  notices = next;
  for (const listener of listeners) listener();
}

/** Says briefly that something was done or has failed. A failure stays until it is closed: nobody must miss the reason. */
export function notify(notice: Omit<Notice, 'id'>): void {
  set([...notices.slice(-3), { ...notice, id: nextId }]);
  nextId += 1;
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The place of the notices; once per page. */
export function Toasts() {
  const { t } = useTranslation();
  const shown = useSyncExternalStore(subscribe, () => notices);
  return (
    <Toast.Provider swipeDirection="right">
      {shown.map((notice) => (
        <Toast.Root
          key={notice.id}
          duration={notice.kind === 'failed' ? 3_600_000 : 4_000}
          onOpenChange={(open) => (open ? undefined : set(notices.filter(({ id }) => id !== notice.id)))}
          className="flex items-start gap-2.5 rounded-lg border border-line-strong bg-raised p-3 shadow-float animate-appear"
        >
          {notice.kind === 'done' ? (
            <CircleCheck size={16} aria-hidden className="mt-0.5 shrink-0 text-ok" />
          ) : (
            <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-bad" />
          )}
          <div className="min-w-0 flex-1">
            <Toast.Title className="text-sm font-medium break-words">{notice.title}</Toast.Title>
            {notice.detail ? (
              <Toast.Description className="text-sm text-muted break-words">{notice.detail}</Toast.Description>
            ) : null}
          </div>
          <Toast.Close
            aria-label={t('common.close')}
            className="rounded p-0.5 text-muted hover:bg-hover hover:text-text"
          >
            <X size={14} aria-hidden />
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport className="fixed right-4 bottom-20 z-60 m-0 flex w-88 max-w-[calc(100vw-2rem)] list-none flex-col gap-2 p-0 outline-none md:bottom-4" />
    </Toast.Provider>
  );
}
