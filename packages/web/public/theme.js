// Sets the scheme before the first paint, so that a light page does not flash dark. A file of its own: the CSP allows no inline script.
(() => {
  let wish = 'dark';
  try {
    wish = localStorage.getItem('evenkeel.theme') ?? 'dark';
  } catch {
    // Storage is switched off: dark.
  }
  const light = wish === 'light' || (wish === 'auto' && matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset.theme = light ? 'light' : 'dark';
})();
