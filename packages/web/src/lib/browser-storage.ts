/** What one browser remembers for itself: never anything secret. Storage that is switched off counts as empty. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`evenkeel.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`evenkeel.${name}`, value);
  } catch {
    // Private windows may refuse; then the choice lasts as long as the page.
  }
}
