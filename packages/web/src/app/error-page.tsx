import { Link } from '@tanstack/react-router';
import { CircleX, Compass } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/panel.tsx';
import { sentenceOf } from '../ui/problem.tsx';

/** Shown where a page throws: the rest of the shell stays. */
export function ErrorPage({ error }: { error: unknown }) {
  const { t } = useTranslation();
  return (
    <EmptyState
      icon={CircleX}
      title={t('errors.page')}
      action={
        <Button look="primary" onClick={() => location.reload()}>
          {t('connection.reload')}
        </Button>
      }
    >
      <p>{t('errors.pageText')}</p>
      <p className="mt-2 font-mono text-xs">{sentenceOf(error)}</p>
    </EmptyState>
  );
}

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <EmptyState
      icon={Compass}
      title={t('errors.notFound')}
      action={
        <Link to="/containers" className="text-sm text-accent underline underline-offset-2">
          {t('errors.toContainers')}
        </Link>
      }
    >
      {t('errors.notFoundText')}
    </EmptyState>
  );
}
