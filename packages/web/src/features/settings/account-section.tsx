import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../../lib/api.ts';
import { useApi } from '../../lib/live.ts';
import { Button } from '../../ui/button.tsx';
import { PasswordField } from '../../ui/field.tsx';
import { Section } from '../../ui/panel.tsx';
import { ProblemNote } from '../../ui/problem.tsx';
import { notify } from '../../ui/toasts.tsx';
import { StrengthMeter } from '../session/strength-meter.tsx';

/** Changing one's own password. */
export function AccountSection() {
  const { t } = useTranslation();
  const api = useApi();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () => api.call('changePassword', { body: { currentPassword: current, newPassword: next } }),
    onSuccess: () => {
      setCurrent('');
      setNext('');
      notify({ kind: 'done', title: t('settings.passwordChanged') });
    },
  });
  const refused = change.error instanceof ApiError ? change.error : null;

  function submit(event: FormEvent) {
    event.preventDefault();
    change.mutate();
  }

  return (
    <Section title={t('settings.account')}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        {change.error && !refused?.fields.length ? <ProblemNote error={change.error} /> : null}
        <PasswordField
          label={t('settings.currentPassword')}
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
          error={refused?.field('currentPassword')}
          autoComplete="current-password"
          required
        />
        <PasswordField
          label={t('settings.newPassword')}
          value={next}
          onChange={(event) => setNext(event.target.value)}
          error={refused?.field('newPassword')}
          autoComplete="new-password"
          required
          hint={<StrengthMeter password={next} />}
        />
        <div>
          <Button type="submit" busy={change.isPending}>
            {t('settings.changePassword')}
          </Button>
        </div>
      </form>
    </Section>
  );
}
