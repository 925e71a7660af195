import { LoaderCircle, TriangleAlert, Unplug } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession } from '../features/session/session.ts';
import { loadPart } from '../lib/load-part.ts';
import { EmptyState } from '../ui/panel.tsx';
import { Shell } from './shell.tsx';

const SetupPage = lazy(async () => ({
  default: (await loadPart(() => import('../features/session/setup-page.tsx'))).SetupPage,
}));
const LoginPage = lazy(async () => ({
  default: (await loadPart(() => import('../features/session/login-page.tsx'))).LoginPage,
}));

/** The page as the session allows it. The address stays, so that a log-in leads to where one wanted to go. */
export function Root() {
  const { t } = useTranslation();
  const session = useSession();
  if (session.state === 'signed-in') return <Shell user={session.user} />;
  if (session.state === 'unreachable')
    return (
      <main className="h-full overflow-y-auto">
        {session.reason === null ? (
          <EmptyState icon={Unplug} title={t('session.unreachable')}>
            {t('session.unreachableText')}
          </EmptyState>
        ) : (
          <EmptyState icon={TriangleAlert} title={t('session.refused')}>
            {session.reason} {t('session.refusedText')}
          </EmptyState>
        )}
      </main>
    );
  const waiting = <Waiting />;
  if (session.state === 'starting') return waiting;
  return (
    <Suspense fallback={waiting}>
      {session.state === 'setup' ? <SetupPage /> : <LoginPage loggedOut={session.loggedOut} />}
    </Suspense>
  );
}

function Waiting() {
  const { t } = useTranslation();
  return (
    <main className="grid h-full place-items-center" aria-busy="true">
      <LoaderCircle size={20} className="animate-spin text-faint" aria-label={t('common.loading')} role="img" />
    </main>
  );
}
