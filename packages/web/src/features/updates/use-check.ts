import type { ContainerRef } from '@evenkeel/contract';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useApi } from '../../lib/live.ts';
import { sentenceOf } from '../../ui/problem.tsx';
import { notify } from '../../ui/toasts.tsx';

/** Asks the registries: for some containers, or for all when given null. */
export function useCheck() {
  const { t } = useTranslation();
  const api = useApi();
  return useMutation({
    mutationFn: (containers: ContainerRef[] | null) =>
      api.call('checkUpdates', { body: containers ? { containers } : {} }),
    onSuccess: () => notify({ kind: 'done', title: t('updates.checkStarted') }),
    onError: (error) => notify({ kind: 'failed', title: t('errors.title'), detail: sentenceOf(error) }),
  });
}
