import { useTranslation } from 'react-i18next';
import { ApiError } from '../lib/api.ts';
import { Callout } from './panel.tsx';

/** The sentence of an error, whatever was thrown. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A refused call: what was wrong, what to do, and the request to name when asking for help. */
export function ProblemNote({ error, title }: { error: unknown; title?: string }) {
  const { t } = useTranslation();
  return (
    <div role="alert">
      <Callout tone="bad" title={title ?? t('errors.title')}>
        <p>{sentenceOf(error)}</p>
        {error instanceof ApiError && error.requestId ? (
          <p className="mt-1 font-mono text-2xs text-faint">{t('common.requestId', { id: error.requestId })}</p>
        ) : null}
      </Callout>
    </div>
  );
}
