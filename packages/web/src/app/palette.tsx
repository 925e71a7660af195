import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import {
  CircleFadingArrowUp,
  Keyboard,
  type LucideIcon,
  Play,
  RotateCw,
  ScrollText,
  SearchCheck,
  Square,
} from 'lucide-react';
import { Dialog } from 'radix-ui';
import { type ReactNode, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { StateMark } from '../features/containers/state-mark.tsx';
import { useEntries } from '../features/containers/use-entries.ts';
import { canDo, runVerb } from '../features/containers/verbs.ts';
import { isPending } from '../features/updates/pending.ts';
import { useCheck } from '../features/updates/use-check.ts';
import { useApi } from '../lib/live.ts';
import { ask } from './intents.ts';
import { pages } from './pages.ts';

interface Deed {
  id: string;
  label: string;
  icon: LucideIcon;
  run: () => void;
  aside?: ReactNode;
}

const mostContainers = 8;
const mostDeeds = 12;

/** Everything by name: pages, containers, and what can be done with them. */
export function Palette({ onClose, onShortcuts }: { onClose: () => void; onShortcuts: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const { pageDeeds, containerDeeds, verbDeeds } = useDeeds(text, onShortcuts);

  function choose(deed: Deed) {
    onClose();
    deed.run();
  }

  return (
    <Dialog.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[rgb(4_6_9/0.62)]" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[10vh] left-1/2 z-40 w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-lg border border-line-strong bg-surface shadow-float"
        >
          <Dialog.Title className="sr-only">{t('palette.title')}</Dialog.Title>
          <Command shouldFilter={false} label={t('palette.title')} loop>
            <Command.Input
              value={text}
              onValueChange={setText}
              placeholder={t('palette.placeholder')}
              className="h-12 w-full border-b border-line bg-transparent px-4 text-lg outline-none placeholder:text-faint"
            />
            <Command.List className="max-h-[60vh] overflow-y-auto p-1.5">
              <Command.Empty className="px-3 py-6 text-center text-sm text-faint">{t('palette.none')}</Command.Empty>
              <Group heading={t('palette.pages')} deeds={pageDeeds} onChoose={choose} />
              <Group heading={t('palette.containers')} deeds={containerDeeds} onChoose={choose} />
              <Group heading={t('palette.verbs')} deeds={verbDeeds} onChoose={choose} />
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Group({
  heading,
  deeds,
  onChoose,
}: {
  heading: string;
  deeds: readonly Deed[];
  onChoose: (deed: Deed) => void;
}) {
  if (deeds.length === 0) return null;
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-faint"
    >
      {deeds.map((deed) => (
        <Command.Item
          key={deed.id}
          value={deed.id}
          onSelect={() => onChoose(deed)}
          className="flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 text-sm data-[selected=true]:bg-hover"
        >
          <deed.icon size={15} aria-hidden className="shrink-0 text-muted" />
          <span className="min-w-0 flex-1 truncate">{deed.label}</span>
          {deed.aside ? <span className="shrink-0 text-xs">{deed.aside}</span> : null}
        </Command.Item>
      ))}
    </Command.Group>
  );
}

function fits(label: string, text: string): boolean {
  const low = label.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => low.includes(word));
}

function useDeeds(text: string, onShortcuts: () => void) {
  const { t } = useTranslation();
  const api = useApi();
  const navigate = useNavigate();
  const check = useCheck();
  const { entries } = useEntries();
  return useMemo(() => {
    const pageDeeds: Deed[] = [
      ...pages.map(({ to, name, icon }) => ({
        id: `page ${to}`,
        label: t(`nav.${name}`),
        icon,
        run: () => void navigate({ to }),
      })),
      { id: 'check all', label: t('updates.checkAll'), icon: SearchCheck, run: () => check.mutate(null) },
      { id: 'shortcuts', label: t('nav.shortcuts'), icon: Keyboard, run: onShortcuts },
    ].filter(({ label }) => fits(label, text));

    const containerDeeds: Deed[] = [];
    const verbDeeds: Deed[] = [];
    for (const { container, update } of entries) {
      if (text.trim() === '') break;
      if (containerDeeds.length >= mostContainers && verbDeeds.length >= mostDeeds) break;
      const { host, id, name, key } = container;
      const params = { host, name };
      if (containerDeeds.length < mostContainers && fits(`${name} ${container.stack ?? ''} ${container.image}`, text))
        containerDeeds.push({
          id: `open ${key}`,
          label: name,
          icon: pages[0].icon,
          aside: <StateMark container={container} />,
          run: () => void navigate({ to: '/containers/$host/$name', params }),
        });
      const deeds: (Deed | false | undefined)[] = [
        update &&
          isPending(update) && {
            id: `update ${key}`,
            label: t('palette.updateOf', { name }),
            icon: CircleFadingArrowUp,
            run: () => ask({ kind: 'update', targets: [{ host, container: id, name }] }),
          },
        {
          id: `logs ${key}`,
          label: t('palette.logsOf', { name }),
          icon: ScrollText,
          run: () => void navigate({ to: '/containers/$host/$name', params, search: { view: 'logs' } }),
        },
        canDo('restart', container) && {
          id: `restart ${key}`,
          label: t('palette.restartOf', { name }),
          icon: RotateCw,
          run: () => ask({ kind: 'restart', containers: [container] }),
        },
        canDo('stop', container) && {
          id: `stop ${key}`,
          label: t('palette.stopOf', { name }),
          icon: Square,
          run: () => ask({ kind: 'stop', containers: [container] }),
        },
        canDo('start', container) && {
          id: `start ${key}`,
          label: t('palette.startOf', { name }),
          icon: Play,
          run: () => void runVerb(api, 'start', [container]),
        },
        {
          id: `check ${key}`,
          label: t('palette.checkOf', { name }),
          icon: SearchCheck,
          run: () => check.mutate([{ host, container: id }]),
        },
      ];
      for (const deed of deeds) {
        if (deed && verbDeeds.length < mostDeeds && fits(deed.label, text)) verbDeeds.push(deed);
      }
    }
    return { pageDeeds, containerDeeds, verbDeeds };
  }, [t, api, navigate, check, entries, text, onShortcuts]);
}
