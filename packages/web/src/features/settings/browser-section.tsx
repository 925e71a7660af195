import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { chooseLanguage, languages } from '../../app/i18n/index.ts';
import { chooseTheme, currentTheme, themes } from '../../app/theme.ts';
import { SelectField } from '../../ui/field.tsx';
import { Section } from '../../ui/panel.tsx';

const words = { dark: 'settings.themeDark', light: 'settings.themeLight', auto: 'settings.themeAuto' } as const;

/** What this browser remembers for itself: scheme and language. */
export function BrowserSection() {
  const { t, i18n } = useTranslation();
  const [theme, setTheme] = useState(currentTheme);
  return (
    <Section title={t('settings.appearance')}>
      <div className="flex flex-col gap-4">
        <SelectField
          label={t('settings.theme')}
          value={theme}
          onChange={(event) => {
            const next = themes.find((one) => one === event.target.value) ?? 'dark';
            chooseTheme(next);
            setTheme(next);
          }}
        >
          {themes.map((one) => (
            <option key={one} value={one}>
              {t(words[one])}
            </option>
          ))}
        </SelectField>
        <SelectField
          label={t('settings.language')}
          value={i18n.language}
          onChange={(event) => {
            const next = languages.find(({ code }) => code === event.target.value);
            if (next) void chooseLanguage(next.code);
          }}
        >
          {languages.map(({ code, name }) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </SelectField>
      </div>
    </Section>
  );
}
