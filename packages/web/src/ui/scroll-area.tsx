import type { ReactNode } from 'react';

/** The part of a page that scrolls, with the page's margins. It takes the focus, so that the keyboard can scroll it. */
export function ScrollArea({ children }: { children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <div tabIndex={0} className="min-h-0 flex-1 overflow-y-auto px-4 py-4 -outline-offset-2 md:px-6">
      {children}
    </div>
  );
}
