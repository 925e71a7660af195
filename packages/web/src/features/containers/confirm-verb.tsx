import type { Container } from '@evenkeel/contract';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useApi } from '../../lib/live.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { canDo, runVerb } from './verbs.ts';

/** Asks before something stops being reachable, and names what is concerned. */
export function ConfirmVerb({
  verb,
  containers,
  onClose,
}: {
  verb: 'stop' | 'restart';
  containers: readonly Container[];
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const api = useApi();
  const concerned = containers.filter((container) => canDo(verb, container));
  const act = useMutation({ mutationFn: () => runVerb(api, verb, concerned), onSettled: onClose });
  const values = { count: concerned.length, name: concerned[0]?.name ?? '' };
  return (
    <Dialog
      open
      onClose={onClose}
      title={verb === 'stop' ? t('containers.stopTitle', values) : t('containers.restartTitle', values)}
      description={verb === 'stop' ? t('containers.stopText') : t('containers.restartText')}
      foot={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button
            look={verb === 'stop' ? 'danger' : 'primary'}
            busy={act.isPending}
            disabled={concerned.length === 0}
            onClick={() => act.mutate()}
          >
            {verb === 'stop' ? t('containers.stop') : t('containers.restart')}
          </Button>
        </>
      }
    >
      {concerned.length > 1 ? (
        <ul className="flex flex-col gap-1 text-sm">
          {concerned.map((container) => (
            <li key={container.key} className="flex gap-2">
              <span className="min-w-0 flex-1 truncate font-medium">{container.name}</span>
              <span className="text-faint">{container.host}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </Dialog>
  );
}
