import { routes } from '@evenkeel/contract';
import { expect, test } from 'vitest';
import { createApi } from '../../lib/api.ts';
import { createSessionStore } from './session.ts';

/** A page that is opened on a server that is a function. */
async function opened(server: (path: string) => Promise<Response> | Response) {
  const api = createApi({
    routeTable: routes,
    onSignedOut: () => undefined,
    fetch: async (input) => server(String(input)),
  });
  const session = createSessionStore({ api, onEnter: () => undefined, onLeave: () => undefined });
  await session.start();
  return session.getSnapshot();
}

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

test('a server that answers with an error is not called unreachable: its sentence is shown', async () => {
  const detail = 'The disk of the data folder is full, so nothing was changed. Free some space, then try again.';
  const state = await opened((path) =>
    path.endsWith('/refresh') ? json(507, { code: 'disk_full', detail }) : json(200, { setupNeeded: false }),
  );
  expect(state).toEqual({ state: 'unreachable', reason: detail });
});

test('a server that does not answer is unreachable', async () => {
  expect(await opened(() => Promise.reject(new TypeError('fetch failed')))).toEqual({
    state: 'unreachable',
    reason: null,
  });
});

test('without a session the page asks for one', async () => {
  expect(
    await opened((path) => (path.endsWith('/refresh') ? json(401, {}) : json(200, { setupNeeded: false }))),
  ).toEqual({ state: 'signed-out', loggedOut: false });
});
