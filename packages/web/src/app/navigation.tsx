import type { User } from '@evenkeel/contract';
import { Link, useNavigate } from '@tanstack/react-router';
import { CircleUser, Keyboard, LogOut, Menu as MenuIcon, PanelLeftClose, PanelLeftOpen, Search } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useSessionStore } from '../features/session/session.ts';
import { isPending } from '../features/updates/pending.ts';
import { useCollection, useStreamStatus } from '../lib/live.ts';
import { IconButton } from '../ui/button.tsx';
import { classes } from '../ui/classes.ts';
import { Logo } from '../ui/logo.tsx';
import { Mark } from '../ui/mark.tsx';
import { Menu, type MenuItem } from '../ui/menu.tsx';
import { Kbd } from '../ui/panel.tsx';
import { pages } from './pages.ts';

interface Actions {
  openPalette: () => void;
  openShortcuts: () => void;
}

/** The figures beside the pages: containers, pending updates, operations at work. */
function useCounts(): Partial<Record<(typeof pages)[number]['name'], number>> {
  const containers = useCollection('containers');
  const updates = useCollection('updates');
  const operations = useCollection('operations');
  const pending = useMemo(() => updates.items.filter(isPending).length, [updates]);
  const active = useMemo(
    () => operations.items.filter(({ state }) => state === 'running' || state === 'queued').length,
    [operations],
  );
  return { containers: containers.items.length, updates: pending, activity: active };
}

function useUserMenu({ openShortcuts }: Pick<Actions, 'openShortcuts'>): MenuItem[] {
  const { t } = useTranslation();
  const session = useSessionStore();
  return [
    { label: t('nav.shortcuts'), icon: Keyboard, onSelect: openShortcuts },
    { label: t('nav.logOut'), icon: LogOut, onSelect: () => void session.logOut(), apart: true },
  ];
}

const platformKey = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘K' : 'Ctrl K';

export function SideBar({
  user,
  narrow,
  onCollapse,
  openPalette,
  openShortcuts,
}: Actions & { user: User; narrow: boolean; onCollapse: () => void }) {
  const { t } = useTranslation();
  const counts = useCounts();
  const menu = useUserMenu({ openShortcuts });
  return (
    <div
      className={classes(
        'hidden shrink-0 flex-col border-r border-line bg-surface px-2 py-3 md:flex',
        narrow ? 'w-13 items-center' : 'w-52',
      )}
    >
      <div className={classes('mb-3 flex items-center gap-2', narrow ? 'flex-col' : 'pl-2')}>
        <Logo size={22} />
        {narrow ? null : <span className="flex-1 font-semibold tracking-tight">{t('product')}</span>}
        <IconButton
          label={narrow ? t('nav.expand') : t('nav.collapse')}
          icon={narrow ? PanelLeftOpen : PanelLeftClose}
          size="sm"
          onClick={onCollapse}
        />
      </div>
      {narrow ? (
        <IconButton label={t('nav.search')} icon={Search} onClick={openPalette} className="mb-2" />
      ) : (
        <button
          type="button"
          onClick={openPalette}
          className="mb-3 flex h-8 items-center gap-2 rounded-md border border-line-strong bg-page px-2 text-sm text-muted hover:bg-hover"
        >
          <Search size={14} aria-hidden />
          <span className="flex-1 text-left">{t('nav.search')}</span>
          <Kbd>{platformKey}</Kbd>
        </button>
      )}
      <nav aria-label={t('nav.label')} className="flex flex-1 flex-col gap-0.5">
        {pages.map(({ to, name, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            aria-label={narrow ? t(`nav.${name}`) : undefined}
            title={narrow ? t(`nav.${name}`) : undefined}
            className="flex h-8 items-center gap-2.5 rounded-md px-2 text-sm text-muted hover:bg-hover hover:text-text"
            activeProps={{ className: 'bg-hover !text-text font-medium' }}
          >
            <Icon size={16} aria-hidden className="shrink-0" />
            {narrow ? null : <span className="flex-1">{t(`nav.${name}`)}</span>}
            {!narrow && counts[name] ? (
              <span
                className={classes(
                  'rounded-full px-1.5 text-xs tabular-nums',
                  name === 'containers' ? 'text-faint' : 'bg-accent-soft text-accent',
                )}
              >
                {counts[name]}
              </span>
            ) : null}
          </Link>
        ))}
      </nav>
      {narrow ? null : <ConnectionMark />}
      <Menu
        align="start"
        items={menu}
        trigger={
          <button
            type="button"
            aria-label={t('nav.menuOf', { name: user.username })}
            className="mt-1 flex h-9 items-center gap-2.5 rounded-md px-2 text-sm text-muted hover:bg-hover hover:text-text"
          >
            <CircleUser size={16} aria-hidden className="shrink-0" />
            {narrow ? null : <span className="min-w-0 flex-1 truncate text-left">{user.username}</span>}
          </button>
        }
      />
    </div>
  );
}

function ConnectionMark() {
  const { t } = useTranslation();
  const { state } = useStreamStatus();
  return (
    <div className="flex h-7 items-center px-2.5 text-xs">
      {state === 'live' ? (
        <Mark shape="disc" tone="ok">
          {t('connection.live')}
        </Mark>
      ) : (
        <Mark shape="turning" tone="warn">
          {t('connection.connecting')}
        </Mark>
      )}
    </div>
  );
}

/** The head of the page on a phone. */
export function TopBar({ user, openPalette, openShortcuts }: Actions & { user: User }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const menu = useUserMenu({ openShortcuts });
  const further = pages.slice(3).map(({ to, name, icon }) => ({
    label: t(`nav.${name}`),
    icon,
    onSelect: () => void navigate({ to }),
  }));
  return (
    <div className="flex h-12 shrink-0 items-center gap-2 border-b border-line bg-surface px-4 md:hidden">
      <Logo size={22} />
      <span className="flex-1 font-semibold tracking-tight">{t('product')}</span>
      <IconButton label={t('nav.search')} icon={Search} onClick={openPalette} />
      <Menu
        items={[...further, ...menu.map((item, index) => ({ ...item, apart: index === 0 || item.apart === true }))]}
        trigger={
          <button
            type="button"
            aria-label={t('nav.menuOf', { name: user.username })}
            className="grid size-8 place-items-center rounded-md text-muted hover:bg-hover"
          >
            <MenuIcon size={16} aria-hidden />
          </button>
        }
      />
    </div>
  );
}

/** The navigation on a phone, under the thumb. */
export function BottomBar() {
  const { t } = useTranslation();
  const counts = useCounts();
  return (
    <nav
      aria-label={t('nav.label')}
      className="grid shrink-0 grid-cols-4 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {pages.slice(0, 4).map(({ to, name, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          className="relative flex h-14 flex-col items-center justify-center gap-0.5 text-2xs text-muted"
          activeProps={{ className: '!text-accent' }}
        >
          <Icon size={19} aria-hidden />
          {t(`nav.${name}`)}
          {name !== 'containers' && counts[name] ? (
            <span className="absolute top-1.5 left-1/2 ml-2 rounded-full bg-accent-fill px-1.5 text-2xs leading-4 text-on-accent tabular-nums">
              {counts[name]}
            </span>
          ) : null}
        </Link>
      ))}
    </nav>
  );
}
