import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useApi } from '../../lib/live.ts';
import { PageHead } from '../../ui/panel.tsx';
import { ProblemNote } from '../../ui/problem.tsx';
import { ScrollArea } from '../../ui/scroll-area.tsx';
import { AccountSection } from './account-section.tsx';
import { BrowserSection } from './browser-section.tsx';
import { UpdateSettings } from './update-settings.tsx';

export function SettingsPage() {
  const { t } = useTranslation();
  const api = useApi();
  const settings = useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => api.call('getSettings', { signal }) });
  const system = useQuery({ queryKey: ['system'], queryFn: ({ signal }) => api.call('system', { signal }) });
  return (
    <>
      <PageHead
        title={t('settings.title')}
        note={system.data ? t('settings.version', { version: system.data.version }) : null}
      />
      <ScrollArea>
        <div className="flex max-w-2xl flex-col gap-4">
          {settings.error ? <ProblemNote error={settings.error} /> : null}
          {settings.data ? <UpdateSettings settings={settings.data} /> : null}
          <BrowserSection />
          <AccountSection />
        </div>
      </ScrollArea>
    </>
  );
}
