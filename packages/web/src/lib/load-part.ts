/**
 * Loads a part of the page. Tried again: browsers cut all requests when a network interface comes or goes, which each
 * container does that starts on this machine.
 */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  for (const wait of [100, 400, 1_500]) {
    try {
      return await load();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return load();
}
