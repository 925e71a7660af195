import type { Registry } from '@evenkeel/contract';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../../lib/api.ts';
import { useApi } from '../../lib/live.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { PasswordField, TextArea, TextField } from '../../ui/field.tsx';
import { ProblemNote } from '../../ui/problem.tsx';
import { notify } from '../../ui/toasts.tsx';
import { SwitchField } from '../../ui/toggle.tsx';

/** Adds a registry or changes one. The password is write-only: empty leaves the stored one as it is. */
export function RegistryForm(props: { registry: Registry | { newHost: string }; onClose: () => void }) {
  const { onClose } = props;
  const registry = 'newHost' in props.registry ? null : props.registry;
  const newHost = 'newHost' in props.registry ? props.registry.newHost : '';
  const { t } = useTranslation();
  const api = useApi();
  const queries = useQueryClient();
  const formId = useId();
  const [values, setValues] = useState({
    host: registry?.host ?? newHost,
    username: registry?.username ?? '',
    password: '',
    insecure: registry?.insecure ?? false,
    caCertificate: registry?.caCertificate ?? '',
    tokenHosts: registry?.tokenHosts.join(', ') ?? '',
  });
  const save = useMutation({
    mutationFn: () => {
      const body = {
        insecure: values.insecure,
        tokenHosts: values.tokenHosts.split(/[\s,]+/).filter(Boolean),
        ...(values.username ? { username: values.username } : {}),
        ...(values.password ? { password: values.password } : {}),
        ...(values.caCertificate ? { caCertificate: values.caCertificate } : {}),
      };
      return registry
        ? api.call('changeRegistry', { params: { id: registry.id }, body })
        : api.call('addRegistry', { body: { ...body, host: values.host.trim() } });
    },
    onSuccess: async () => {
      notify({ kind: 'done', title: t('common.saved') });
      await queries.invalidateQueries({ queryKey: ['registries'] });
      onClose();
    },
  });
  const refused = save.error instanceof ApiError ? save.error : null;
  const set =
    (name: 'host' | 'username' | 'password' | 'caCertificate' | 'tokenHosts') =>
    (event: { target: { value: string } }) =>
      setValues({ ...values, [name]: event.target.value });

  function submit(event: FormEvent) {
    event.preventDefault();
    save.mutate();
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={registry ? t('registries.edit', { name: registry.host }) : t('registries.add')}
      foot={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button look="primary" type="submit" form={formId} busy={save.isPending}>
            {t('common.save')}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} className="flex flex-col gap-4">
        {save.error && !refused?.fields.length ? <ProblemNote error={save.error} /> : null}
        <TextField
          label={t('registries.host')}
          hint={t('registries.hostHint')}
          value={values.host}
          onChange={set('host')}
          error={refused?.field('host')}
          disabled={registry !== null}
          required
          autoCapitalize="none"
          spellCheck={false}
        />
        <TextField
          label={t('registries.username')}
          note={t('session.optional')}
          value={values.username}
          onChange={set('username')}
          error={refused?.field('username')}
          autoComplete="off"
          autoCapitalize="none"
        />
        <PasswordField
          label={t('registries.password')}
          note={t('session.optional')}
          hint={registry?.passwordSet ? t('registries.passwordKeep') : t('registries.passwordHint')}
          value={values.password}
          onChange={set('password')}
          error={refused?.field('password')}
          autoComplete="new-password"
        />
        <SwitchField
          label={t('registries.insecure')}
          hint={t('registries.insecureHint')}
          checked={values.insecure}
          onChange={(insecure) => setValues({ ...values, insecure })}
        />
        <TextField
          label={t('registries.tokenHosts')}
          note={t('session.optional')}
          hint={t('registries.tokenHostsHint')}
          value={values.tokenHosts}
          onChange={set('tokenHosts')}
          error={refused?.field('tokenHosts') ?? refused?.field('tokenHosts.0')}
          autoCapitalize="none"
          spellCheck={false}
        />
        <TextArea
          label={t('registries.ca')}
          note={t('session.optional')}
          hint={t('registries.caHint')}
          value={values.caCertificate}
          onChange={set('caCertificate')}
          error={refused?.field('caCertificate')}
          spellCheck={false}
        />
      </form>
    </Dialog>
  );
}
