import { useTranslation } from 'react-i18next';
import { Dialog } from '../ui/dialog.tsx';
import { Kbd } from '../ui/panel.tsx';

export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const rows: [string, string[]][] = [
    [t('shortcuts.palette'), ['Ctrl', 'K']],
    [t('shortcuts.search'), ['/']],
    [t('shortcuts.sheet'), ['?']],
    [t('shortcuts.escape'), ['Esc']],
    [t('shortcuts.goContainers'), ['g', 'c']],
    [t('shortcuts.goUpdates'), ['g', 'u']],
    [t('shortcuts.goActivity'), ['g', 'a']],
    [t('shortcuts.goHosts'), ['g', 'h']],
    [t('shortcuts.goRegistries'), ['g', 'r']],
    [t('shortcuts.goSettings'), ['g', 's']],
  ];
  return (
    <Dialog open onClose={onClose} title={t('shortcuts.title')}>
      <dl className="flex flex-col">
        {rows.map(([name, keys]) => (
          <div key={name} className="flex items-center gap-3 border-b border-line py-2 text-sm last:border-0">
            <dt className="flex-1">{name}</dt>
            <dd className="flex items-center gap-1.5">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
