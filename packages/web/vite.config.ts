import { fileURLToPath } from 'node:url';
import { routes } from '@evenkeel/contract';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * Method and path of every route as a module of plain data. The browser needs nothing else of the contract at run time,
 * and so the validation library stays out of the bundle.
 */
function routeTable(): Plugin {
  const id = 'virtual:route-table';
  return {
    name: 'evenkeel-route-table',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(source) {
      if (source !== `\0${id}`) return undefined;
      const table = Object.fromEntries(
        Object.entries(routes).map(([name, { method, path }]) => [name, { method, path }]),
      );
      return `export const routeTable = ${JSON.stringify(table)};`;
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss(), routeTable()],
  resolve: {
    alias: {
      // The dialogs' scroll lock writes a <style> element, which the CSP refuses. styles.css does that part.
      'react-style-singleton': fileURLToPath(new URL('./src/ui/no-injected-style.ts', import.meta.url)),
    },
  },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, reportCompressedSize: true },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8420', ws: true } } },
});
