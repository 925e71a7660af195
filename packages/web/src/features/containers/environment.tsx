import type { ContainerDetail } from '@evenkeel/contract';
import { useTranslation } from 'react-i18next';
import { Section } from '../../ui/panel.tsx';

/** The environment. What looks like a secret has been masked by the server: it never comes here. */
export function Environment({ detail }: { detail: ContainerDetail }) {
  const { t } = useTranslation();
  const variables = [...detail.environment].sort((a, b) => a.name.localeCompare(b.name));
  return (
    <div className="max-w-4xl">
      <Section title={t('detail.environment')} note={t('detail.masked')}>
        {variables.length === 0 ? (
          <p className="text-sm text-muted">{t('detail.noEnv')}</p>
        ) : (
          <table className="w-full table-fixed border-collapse text-left font-mono text-xs">
            <thead className="text-faint">
              <tr>
                <th scope="col" className="w-2/5 py-1 pr-3 font-sans font-normal">
                  {t('detail.variable')}
                </th>
                <th scope="col" className="py-1 font-sans font-normal">
                  {t('detail.value')}
                </th>
              </tr>
            </thead>
            <tbody>
              {variables.map(({ name, value }) => (
                <tr key={name} className="border-t border-line align-top">
                  <td className="py-1.5 pr-3 break-all text-muted">{name}</td>
                  <td className="py-1.5 break-all">{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Section>
    </div>
  );
}
