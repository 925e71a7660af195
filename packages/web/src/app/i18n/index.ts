import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { recall, remember } from '../../lib/browser-storage.ts';
import { type Catalogue, en } from './en.ts';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof en };
  }
}

/** The languages of the page. English is in the entry chunk, the others are loaded when wanted. */
export const languages = [
  { code: 'en', name: 'English' },
  { code: 'de', name: 'Deutsch' },
] as const;
export type Language = (typeof languages)[number]['code'];

const load: Record<Language, () => Promise<Catalogue>> = {
  en: async () => en,
  de: async () => (await import('./de.ts')).de,
};

function wished(): Language {
  const stored = recall('language');
  const candidates = stored ? [stored] : navigator.languages;
  for (const candidate of candidates) {
    const found = languages.find(({ code }) => candidate.toLowerCase().startsWith(code));
    if (found) return found.code;
  }
  return 'en';
}

/** Starts the catalogue in the language of this browser. */
export async function startLanguage(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  await applyLanguage(wished());
}

/** Switches the language and remembers it for this browser. */
export async function chooseLanguage(language: Language): Promise<void> {
  remember('language', language);
  await applyLanguage(language);
}

async function applyLanguage(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation'))
    i18next.addResourceBundle(language, 'translation', await load[language]());
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
