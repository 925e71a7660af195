import { Boxes, SearchX, Unplug } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { useCollection } from '../../lib/live.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/panel.tsx';

/** Why the list is empty, and what to do: still listing, nothing fits, no engine, or really no container. */
export function NoContainers({
  loaded,
  filtered,
  onClear,
}: {
  loaded: boolean;
  filtered: boolean;
  onClear: () => void;
}) {
  const { t } = useTranslation();
  const hosts = useCollection('hosts');
  if (!loaded || !hosts.loaded) return <p className="p-6 text-center text-sm text-faint">{t('containers.waiting')}</p>;
  if (filtered)
    return (
      <EmptyState
        icon={SearchX}
        title={t('containers.noHitTitle')}
        action={<Button onClick={onClear}>{t('common.clearFilters')}</Button>}
      >
        {t('containers.noHitText')}
      </EmptyState>
    );
  const online = hosts.items.filter(({ state }) => state === 'online');
  if (online.length > 0)
    return (
      <EmptyState icon={Boxes} title={t('containers.noneTitle')}>
        {t('containers.noneText', { hosts: online.map(({ name }) => name).join(', ') })}
      </EmptyState>
    );
  return (
    <EmptyState
      icon={Unplug}
      title={hosts.items.length === 0 ? t('containers.noHostTitle') : t('containers.noEngineTitle')}
    >
      {hosts.items.map((host) =>
        host.reason ? (
          <p key={host.id} className="mb-2">
            {host.reason}
          </p>
        ) : null,
      )}
      <p>{t('containers.noEngineText')}</p>
    </EmptyState>
  );
}
