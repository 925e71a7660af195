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

export function LoginPage({ loggedOut }: { loggedOut: boolean }) {
  const { t } = useTranslation();
  const api = useApi();
  const session = useSessionStore();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const logIn = useMutation({
    mutationFn: () => api.call('login', { body: { username: username.trim(), password } }),
    onSuccess: (made) => session.entered(made),
  });
  const refused = logIn.error instanceof ApiError ? logIn.error : null;

  function submit(event: FormEvent) {
    event.preventDefault();
    logIn.mutate();
  }

  return (
    <Entrance title={t('session.logIn')} {...(loggedOut && !logIn.error ? { text: t('session.loggedOut') } : {})}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        {logIn.error && !refused?.fields.length ? <ProblemNote error={logIn.error} /> : null}
        <TextField
          label={t('session.usernameOrEmail')}
          value={username}
          onChange={(event) => setUsername(event.target.value)}
          error={refused?.field('username')}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
        <PasswordField
          label={t('session.password')}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={refused?.field('password')}
          autoComplete="current-password"
          required
        />
        <Button type="submit" look="primary" busy={logIn.isPending} className="h-10">
          {t('session.logIn')}
        </Button>
      </form>
    </Entrance>
  );
}
