import { CircleFadingArrowUp, Play, RotateCw, Square, X } from 'lucide-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { ask } from '../../app/intents.ts';
import { useApi } from '../../lib/live.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { isPending } from '../updates/pending.ts';
import type { Entry } from './container-rows.ts';
import { canDo, runVerb } from './verbs.ts';

/** What can be done with the selected containers. */
export function BulkBar({ chosen, onClear }: { chosen: readonly Entry[]; onClear: () => void }) {
  const { t } = useTranslation();
  const api = useApi();
  const containers = chosen.map(({ container }) => container);
  const updatable = chosen.filter(({ update, container }) => update && isPending(update) && !container.stale);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !document.querySelector('[role="dialog"],[role="menu"]')) onClear();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [onClear]);
  const able = (verb: 'start' | 'stop' | 'restart') => containers.filter((container) => canDo(verb, container));
  return (
    <section
      aria-label={t('common.selected', { count: chosen.length })}
      className="flex shrink-0 flex-wrap items-center gap-2 border-t border-line-strong bg-raised px-4 py-2 md:px-6"
    >
      <span className="mr-2 text-sm font-medium tabular-nums">{t('common.selected', { count: chosen.length })}</span>
      <Button
        look="primary"
        icon={CircleFadingArrowUp}
        disabled={updatable.length === 0}
        onClick={() =>
          ask({
            kind: 'update',
            targets: updatable.map(({ container: { host, id, name } }) => ({ host, container: id, name })),
          })
        }
      >
        {t('containers.updateMany', { count: updatable.length })}
      </Button>
      <Button
        icon={Play}
        disabled={able('start').length === 0}
        onClick={() => void runVerb(api, 'start', able('start'))}
      >
        {t('containers.start')}
      </Button>
      <Button
        icon={RotateCw}
        disabled={able('restart').length === 0}
        onClick={() => ask({ kind: 'restart', containers: able('restart') })}
      >
        {t('containers.restart')}
      </Button>
      <Button
        icon={Square}
        disabled={able('stop').length === 0}
        onClick={() => ask({ kind: 'stop', containers: able('stop') })}
      >
        {t('containers.stop')}
      </Button>
      <IconButton label={t('common.clear')} icon={X} onClick={onClear} className="ml-auto" />
    </section>
  );
}
