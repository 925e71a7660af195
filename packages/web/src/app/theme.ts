import { recall, remember } from '../lib/browser-storage.ts';

export const themes = ['dark', 'light', 'auto'] as const;
export type Theme = (typeof themes)[number];

export function currentTheme(): Theme {
  const stored = recall('theme');
  return themes.find((theme) => theme === stored) ?? 'dark';
}

/** Applies the scheme and remembers it for this browser. `public/theme.js` does the same before the first paint. */
export function chooseTheme(theme: Theme): void {
  remember('theme', theme);
  applyTheme();
}

export function applyTheme(): void {
  const theme = currentTheme();
  const light = theme === 'light' || (theme === 'auto' && matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset['theme'] = light ? 'light' : 'dark';
}

/** Follows the system while the choice is `auto`. */
export function followSystemTheme(): void {
  matchMedia('(prefers-color-scheme: light)').addEventListener('change', applyTheme);
}
