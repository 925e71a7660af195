import { LockOpen } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Logo } from '../../ui/logo.tsx';
import { Callout } from '../../ui/panel.tsx';

const loopback = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** True where passwords would travel in the clear: no TLS, and not the machine itself. */
export function isExposed(location: { protocol: string; hostname: string }): boolean {
  return (
    location.protocol !== 'https:' && !loopback.has(location.hostname) && !location.hostname.endsWith('.localhost')
  );
}

/** The frame of the pages before the log-in. */
export function Entrance({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <main className="h-full overflow-y-auto px-4 py-[max(1.5rem,10vh)]">
      <div className="mx-auto flex w-full max-w-sm flex-col gap-4">
        <div className="flex items-center gap-2 text-sm font-semibold">
          <Logo size={24} />
          {t('product')}
        </div>
        <div>
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
          {text ? <p className="mt-1 text-sm text-muted">{text}</p> : null}
        </div>
        {isExposed(window.location) ? (
          <Callout
            tone="warn"
            title={
              <span className="inline-flex items-center gap-1.5">
                <LockOpen size={14} aria-hidden />
                {t('session.notEncrypted')}
              </span>
            }
          >
            {t('session.notEncryptedText')}
          </Callout>
        ) : null}
        {children}
      </div>
    </main>
  );
}
