import type { Registry } from '@evenkeel/contract';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Database, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { formatMoment } from '../../lib/format.ts';
import { useApi } from '../../lib/live.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Mark, type Shape, type Tone } from '../../ui/mark.tsx';
import { EmptyState, PageHead } from '../../ui/panel.tsx';
import { ProblemNote, sentenceOf } from '../../ui/problem.tsx';
import { ScrollArea } from '../../ui/scroll-area.tsx';
import { notify } from '../../ui/toasts.tsx';
import { RegistryForm } from './registry-form.tsx';

const looks: Record<Registry['health']['state'], { shape: Shape; tone: Tone }> = {
  unused: { shape: 'ring', tone: 'quiet' },
  ok: { shape: 'check', tone: 'ok' },
  'cooling-down': { shape: 'bars', tone: 'warn' },
  sick: { shape: 'cross', tone: 'bad' },
  denied: { shape: 'cross', tone: 'bad' },
};

/** Credentials and trust for registries. */
export function RegistriesPage() {
  const { t } = useTranslation();
  const api = useApi();
  const [form, setForm] = useState<Registry | { newHost: string } | null>(null);
  const [removing, setRemoving] = useState<Registry | null>(null);
  const registries = useQuery({
    queryKey: ['registries'],
    queryFn: ({ signal }) => api.call('listRegistries', { signal }),
    refetchInterval: 10_000,
  });
  const items = registries.data?.items ?? [];
  return (
    <>
      <PageHead
        title={t('registries.title')}
        actions={
          <Button look="primary" icon={Plus} onClick={() => setForm({ newHost: '' })}>
            {t('registries.add')}
          </Button>
        }
      >
        <p className="mt-1 text-sm text-muted">{t('registries.intro')}</p>
      </PageHead>
      <ScrollArea>
        {registries.error ? <ProblemNote error={registries.error} /> : null}
        {registries.data && items.length === 0 ? (
          <EmptyState icon={Database} title={t('registries.noneTitle')}>
            {t('registries.noneText')}
          </EmptyState>
        ) : null}
        {items.length > 0 ? (
          <ul className="max-w-5xl rounded-lg border border-line bg-surface">
            {items.map((registry) => (
              <RegistryLine
                key={registry.id}
                registry={registry}
                onEdit={() => setForm(registry.stored ? registry : { newHost: registry.host })}
                onRemove={() => setRemoving(registry)}
              />
            ))}
          </ul>
        ) : null}
      </ScrollArea>
      {form ? <RegistryForm registry={form} onClose={() => setForm(null)} /> : null}
      {removing ? <RemoveRegistry registry={removing} onClose={() => setRemoving(null)} /> : null}
    </>
  );
}

function RegistryLine({
  registry,
  onEdit,
  onRemove,
}: {
  registry: Registry;
  onEdit: () => void;
  onRemove: () => void;
}) {
  const { t, i18n } = useTranslation();
  const api = useApi();
  const queries = useQueryClient();
  const test = useMutation({
    mutationFn: () => api.call('testRegistry', { params: { id: registry.id } }),
    onSuccess: ({ ok, detail }) =>
      notify({ kind: ok ? 'done' : 'failed', title: ok ? t('registries.testOk') : registry.host, detail }),
    onError: (error) => notify({ kind: 'failed', title: registry.host, detail: sentenceOf(error) }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['registries'] }),
  });
  const { health } = registry;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-2.5 text-sm first:border-0">
      <div className="min-w-0 flex-1 basis-48">
        <div className="truncate font-medium">{registry.host}</div>
        <div className="truncate text-xs text-faint">
          {registry.stored ? (registry.username ?? t('registries.anonymous')) : t('registries.notStored')}
          {registry.passwordSet ? ` · ${t('registries.passwordSet')}` : ''}
          {registry.insecure ? ` · HTTP` : ''}
          {registry.caCertificate ? ' · CA' : ''}
        </div>
      </div>
      <div className="min-w-0 basis-56 text-xs">
        <Mark {...looks[health.state]}>{t(`registries.states.${health.state}`)}</Mark>
        <div className="text-faint break-words">
          {[
            health.reason ?? t('registries.requests', { count: health.requests }),
            health.coolDownUntil
              ? t('registries.coolDown', { moment: formatMoment(health.coolDownUntil, i18n.language) })
              : null,
            health.rateLimitRemaining === null ? null : t('registries.remaining', { count: health.rateLimitRemaining }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </div>
      </div>
      <div className="flex items-center gap-1">
        {registry.stored ? (
          <>
            <Button size="sm" busy={test.isPending} onClick={() => test.mutate()}>
              {t('registries.test')}
            </Button>
            <IconButton
              label={t('registries.edit', { name: registry.host })}
              icon={Pencil}
              size="sm"
              onClick={onEdit}
            />
            <IconButton
              label={t('registries.remove', { name: registry.host })}
              icon={Trash2}
              size="sm"
              onClick={onRemove}
            />
          </>
        ) : (
          <Button size="sm" icon={Plus} onClick={onEdit}>
            {t('registries.store')}
          </Button>
        )}
      </div>
    </li>
  );
}

function RemoveRegistry({ registry, onClose }: { registry: Registry; onClose: () => void }) {
  const { t } = useTranslation();
  const api = useApi();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.call('removeRegistry', { params: { id: registry.id } }),
    onSuccess: async () => {
      notify({ kind: 'done', title: t('registries.removed', { name: registry.host }) });
      await queries.invalidateQueries({ queryKey: ['registries'] });
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('registries.removeTitle', { name: registry.host })}
      description={t('registries.removeText')}
      foot={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            {t('registries.removeVerb')}
          </Button>
        </>
      }
    >
      {remove.error ? <ProblemNote error={remove.error} /> : null}
    </Dialog>
  );
}
