import type { Container } from '@evenkeel/contract';
import { useNavigate } from '@tanstack/react-router';
import { CircleFadingArrowUp, EllipsisVertical, Play, RotateCw, ScrollText, SearchCheck, Square } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ask } from '../../app/intents.ts';
import { useApi } from '../../lib/live.ts';
import { Menu, type MenuItem } from '../../ui/menu.tsx';
import { isPending } from '../updates/pending.ts';
import { useCheck } from '../updates/use-check.ts';
import type { Entry } from './container-rows.ts';
import { canDo, runVerb } from './verbs.ts';

/** Everything that can be done with one container. */
export function ContainerMenu({ entry }: { entry: Entry }) {
  const { t } = useTranslation();
  const api = useApi();
  const navigate = useNavigate();
  const check = useCheck();
  const { container, update } = entry;
  const { host, id, name } = container;
  const items: MenuItem[] = [
    {
      label: t('containers.openLogs'),
      icon: ScrollText,
      onSelect: () =>
        void navigate({ to: '/containers/$host/$name', params: { host, name }, search: { view: 'logs' } }),
    },
    {
      label: t('containers.updateVerb'),
      icon: CircleFadingArrowUp,
      disabled: !update || !isPending(update) || container.stale,
      onSelect: () => ask({ kind: 'update', targets: [{ host, container: id, name }] }),
    },
    {
      label: t('containers.checkNow'),
      icon: SearchCheck,
      disabled: container.stale,
      onSelect: () => check.mutate([{ host, container: id }]),
    },
    verbItem('start', t('containers.start'), Play, container, () => void runVerb(api, 'start', [container]), true),
    verbItem('restart', t('containers.restart'), RotateCw, container, () =>
      ask({ kind: 'restart', containers: [container] }),
    ),
    verbItem('stop', t('containers.stop'), Square, container, () => ask({ kind: 'stop', containers: [container] })),
  ];
  return (
    <Menu
      items={items}
      trigger={
        <button
          type="button"
          aria-label={t('common.actions', { name })}
          className="grid size-8 shrink-0 place-items-center rounded-md text-muted hover:bg-hover hover:text-text"
        >
          <EllipsisVertical size={15} aria-hidden />
        </button>
      }
    />
  );
}

function verbItem(
  verb: 'start' | 'stop' | 'restart',
  label: string,
  icon: MenuItem['icon'],
  container: Container,
  onSelect: () => void,
  apart = false,
): MenuItem {
  return { label, ...(icon ? { icon } : {}), onSelect, disabled: !canDo(verb, container), apart };
}
