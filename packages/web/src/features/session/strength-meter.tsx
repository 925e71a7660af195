import { useTranslation } from 'react-i18next';
import { passwordStrength } from './password-strength.ts';

const words = ['strengthWeak', 'strengthWeak', 'strengthFair', 'strengthGood', 'strengthStrong'] as const;
const inks = ['bg-line-strong', 'bg-bad', 'bg-warn', 'bg-ok', 'bg-ok'] as const;

/** How strong a password is, as bars and as a word. */
export function StrengthMeter({ password }: { password: string }) {
  const { t } = useTranslation();
  const strength = passwordStrength(password);
  return (
    <div className="flex flex-col gap-1">
      <div className="flex gap-1" aria-hidden="true">
        {[1, 2, 3, 4].map((bar) => (
          <span
            key={bar}
            className={`h-1 flex-1 rounded-full ${bar <= strength ? inks[strength] : 'bg-line-strong'}`}
          />
        ))}
      </div>
      <span aria-live="polite">
        {strength === 0 ? t('session.strengthHint') : t('session.strength', { word: t(`session.${words[strength]}`) })}
      </span>
    </div>
  );
}
