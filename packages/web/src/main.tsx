/// <reference path="./modules.d.ts" />
import { routeTable } from 'virtual:route-table';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { startLanguage } from './app/i18n/index.ts';
import { router } from './app/router.tsx';
import './app/styles.css';
import { applyTheme, followSystemTheme } from './app/theme.ts';
import { createSessionStore, SessionContext } from './features/session/session.ts';
import { ApiError, createApi } from './lib/api.ts';
import { browserSocket, perFrame } from './lib/browser-socket.ts';
import { ServicesContext } from './lib/live.ts';
import { createStream } from './lib/stream.ts';
import { HintProvider } from './ui/hint.tsx';
import { Toasts } from './ui/toasts.tsx';

const api = createApi({
  routeTable,
  fetch: (input, init) => fetch(input, init),
  onSignedOut: () => session.expired(),
  ...(navigator.locks ? { exclusive: (name, task) => navigator.locks.request(name, task) } : {}),
});

const stream = createStream({
  openSocket: () => browserSocket('/api/v1/stream'),
  ticket: async () => (await api.call('streamTicket')).ticket,
  schedule: perFrame,
  after: (milliseconds, task) => {
    const timer = setTimeout(task, milliseconds);
    return () => clearTimeout(timer);
  },
  now: () => Date.now(),
  random: () => Math.random(),
});

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) =>
        failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
});

const session = createSessionStore({
  api,
  onEnter: () => stream.start(),
  onLeave: () => {
    stream.stop();
    queries.clear();
  },
});

addEventListener('online', () => stream.nudge());
document.addEventListener('visibilitychange', () => (document.hidden ? undefined : stream.nudge()));
applyTheme();
followSystemTheme();

async function boot() {
  const root = document.getElementById('root');
  if (!root) throw new Error('The page has no root element.');
  await startLanguage();
  createRoot(root).render(
    <StrictMode>
      <ServicesContext value={{ api, stream }}>
        <SessionContext value={session}>
          <QueryClientProvider client={queries}>
            <HintProvider>
              <RouterProvider router={router} />
              <Toasts />
            </HintProvider>
          </QueryClientProvider>
        </SessionContext>
      </ServicesContext>
    </StrictMode>,
  );
  await session.start();
}

// Not awaited at the top level: chunks that share code with this one would wait for it, and it for them.
void boot();
