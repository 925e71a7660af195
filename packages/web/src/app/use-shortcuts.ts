import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { pages } from './pages.ts';

const sequenceMilliseconds = 1_200;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** The keys that work on every page. `g` and a letter goes to a page, `/` to the search field of the page. */
export function useShortcuts(actions: { onPalette: () => void; onSheet: () => void }): void {
  const navigate = useNavigate();
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    let goingSince = 0;
    function onKey(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        latest.current.onPalette();
        return;
      }
      const busy = event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target);
      if (busy || document.querySelector('[role="dialog"],[role="alertdialog"],[role="menu"]')) return;
      const page = pages.find(({ key }) => key === event.key);
      if (page && Date.now() - goingSince < sequenceMilliseconds) {
        goingSince = 0;
        void navigate({ to: page.to });
        return;
      }
      goingSince = event.key === 'g' ? Date.now() : 0;
      if (event.key === '?') latest.current.onSheet();
      if (event.key === '/') {
        const field = document.querySelector<HTMLInputElement>('main input[type="search"]');
        if (field) event.preventDefault();
        field?.focus();
      }
    }
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [navigate]);
}
