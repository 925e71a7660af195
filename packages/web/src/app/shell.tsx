import type { User } from '@evenkeel/contract';
import { Outlet } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { recall, remember } from '../lib/browser-storage.ts';
import { loadPart } from '../lib/load-part.ts';
import { ConnectionBar } from './connection-bar.tsx';
import { useIntent } from './intents.ts';
import { BottomBar, SideBar, TopBar } from './navigation.tsx';
import { useShortcuts } from './use-shortcuts.ts';

const Palette = lazy(async () => ({ default: (await loadPart(() => import('./palette.tsx'))).Palette }));
const IntentDialogs = lazy(async () => ({
  default: (await loadPart(() => import('./intent-dialogs.tsx'))).IntentDialogs,
}));
const ShortcutSheet = lazy(async () => ({
  default: (await loadPart(() => import('./shortcut-sheet.tsx'))).ShortcutSheet,
}));

/** The frame around every page: navigation, connection, palette and shortcuts. */
export function Shell({ user }: { user: User }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<'palette' | 'shortcuts' | null>(null);
  const [narrow, setNarrow] = useState(() => recall('navigation') === 'narrow');
  const intent = useIntent();
  useShortcuts({ onPalette: () => setOpen('palette'), onSheet: () => setOpen('shortcuts') });

  function collapse() {
    remember('navigation', narrow ? 'wide' : 'narrow');
    setNarrow(!narrow);
  }

  const actions = { openPalette: () => setOpen('palette'), openShortcuts: () => setOpen('shortcuts') };
  return (
    <div className="flex h-full flex-col md:flex-row">
      <a
        href="#content"
        className="absolute -top-12 left-2 z-60 rounded-md bg-accent-fill px-3 py-1.5 text-sm text-on-accent focus:top-2"
      >
        {t('nav.skip')}
      </a>
      <SideBar user={user} narrow={narrow} onCollapse={collapse} {...actions} />
      <TopBar user={user} {...actions} />
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <ConnectionBar />
        <main id="content" tabIndex={-1} className="flex min-h-0 flex-1 flex-col">
          <Outlet />
        </main>
      </div>
      <BottomBar />
      <Suspense>
        {open === 'palette' ? <Palette onClose={() => setOpen(null)} onShortcuts={actions.openShortcuts} /> : null}
        {intent ? <IntentDialogs intent={intent} /> : null}
        {open === 'shortcuts' ? <ShortcutSheet onClose={() => setOpen(null)} /> : null}
      </Suspense>
    </div>
  );
}
