import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../../lib/api.ts';
import { useApi } from '../../lib/live.ts';
import { Button } from '../../ui/button.tsx';
import { PasswordField, TextField } from '../../ui/field.tsx';
import { ProblemNote } from '../../ui/problem.tsx';
import { Entrance } from './entrance.tsx';
import { useSessionStore } from './session.ts';
import { StrengthMeter } from './strength-meter.tsx';

/** The first run: one screen, then the containers. */
export function SetupPage() {
  const { t } = useTranslation();
  const api = useApi();
  const session = useSessionStore();
  const [values, setValues] = useState({ token: '', username: '', email: '', password: '', again: '' });
  const [tried, setTried] = useState(false);
  const create = useMutation({
    mutationFn: () =>
      api.call('setup', {
        body: {
          token: values.token.trim(),
          username: values.username.trim(),
          password: values.password,
          ...(values.email.trim() ? { email: values.email.trim() } : {}),
        },
      }),
    onSuccess: (made) => session.entered(made),
  });

  const refused = create.error instanceof ApiError ? create.error : null;
  const required = (value: string) => (tried && value.trim() === '' ? t('session.required') : undefined);
  const errors = {
    token: required(values.token) ?? refused?.field('token'),
    username: required(values.username) ?? refused?.field('username'),
    email: refused?.field('email'),
    password: (tried && values.password.length < 8 ? t('session.tooShort') : undefined) ?? refused?.field('password'),
    again: tried && values.again !== values.password ? t('session.mismatch') : undefined,
  };
  const set = (name: keyof typeof values) => (event: { target: { value: string } }) =>
    setValues({ ...values, [name]: event.target.value });

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    const complete =
      values.token.trim() && values.username.trim() && values.password.length >= 8 && values.again === values.password;
    if (complete) create.mutate();
  }

  return (
    <Entrance title={t('session.welcome')} text={t('session.setupText')}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-4">
        {create.error && !refused?.fields.length ? <ProblemNote error={create.error} /> : null}
        <TextField
          label={t('session.token')}
          hint={t('session.tokenHint')}
          value={values.token}
          onChange={set('token')}
          error={errors.token}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          className="font-mono"
        />
        <TextField
          label={t('session.username')}
          value={values.username}
          onChange={set('username')}
          error={errors.username}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
        />
        <TextField
          label={t('session.email')}
          note={t('session.optional')}
          type="email"
          value={values.email}
          onChange={set('email')}
          error={errors.email}
          autoComplete="email"
        />
        <PasswordField
          label={t('session.password')}
          value={values.password}
          onChange={set('password')}
          error={errors.password}
          autoComplete="new-password"
          hint={<StrengthMeter password={values.password} />}
        />
        <PasswordField
          label={t('session.passwordAgain')}
          value={values.again}
          onChange={set('again')}
          error={errors.again}
          autoComplete="new-password"
        />
        <Button type="submit" look="primary" busy={create.isPending} className="h-10">
          {t('session.create')}
        </Button>
      </form>
    </Entrance>
  );
}
