import { routes, type Session } from '@evenkeel/contract';
import { expect, test } from 'vitest';
import { ApiError, createApi } from './api.ts';

const session = (token: string): Session => ({
  accessToken: token,
  expiresAt: '2026-01-01T00:00:00.000Z',
  user: {
    id: 'u',
    username: 'ada',
    email: null,
    role: 'owner',
    capabilities: [],
    createdAt: '2026-01-01T00:00:00.000Z',
  },
});
const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

/** A client on a server that is a function: it speaks HTTP's own Request and Response. */
function clientOn(server: (request: Request) => Promise<Response> | Response) {
  const seen: Request[] = [];
  let signedOut = 0;
  const api = createApi({
    routeTable: routes,
    onSignedOut: () => {
      signedOut += 1;
    },
    fetch: async (input, init) => {
      const request = new Request(`http://x${String(input)}`, init);
      seen.push(request.clone());
      return server(request);
    },
  });
  return { api, seen, signedOut: () => signedOut };
}

test('a call fills the path, encodes it, leaves out what is undefined and sends the header of ours', async () => {
  const { api, seen } = clientOn(() => json(200, { lines: [], truncated: false }));
  await api.call('containerLogs', { params: { host: 'local', container: 'a/b c' }, query: { tail: 5, q: undefined } });
  expect(seen[0]?.url).toBe('http://x/api/v1/containers/local/a%2Fb%20c/logs?tail=5');
  expect(seen[0]?.headers.get('x-evenkeel-request')).toBe('1');
});

test('a refused call throws the code, the sentence, the fields and the request id', async () => {
  const { api } = clientOn(() =>
    json(400, {
      code: 'bad_input',
      title: 'x',
      detail: 'The password is too short.',
      requestId: 'r1',
      fields: [{ field: 'body.password', rule: 'too_small', message: 'at least 8' }],
    }),
  );
  const error = await api.call('login', { body: { username: 'a', password: 'b' } }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ApiError);
  const refused = error as ApiError;
  expect([refused.code, refused.detail, refused.requestId, refused.field('password')]).toEqual([
    'bad_input',
    'The password is too short.',
    'r1',
    'at least 8',
  ]);
});

test('an expired access token is renewed once, however many calls hit it', async () => {
  const { api, seen, signedOut } = clientOn((request) => {
    if (request.url.endsWith('/refresh')) return json(200, session('new'));
    return request.headers.get('authorization') === 'Bearer new'
      ? json(200, { items: [], total: 0, nextCursor: null })
      : json(401, {});
  });
  api.adopt(session('old'));
  await Promise.all([api.call('listHosts'), api.call('listHosts'), api.call('listRegistries')]);
  expect(seen.filter((request) => request.url.endsWith('/refresh'))).toHaveLength(1);
  expect(signedOut()).toBe(0);
});

test('without a session the caller is signed out and gets the refusal', async () => {
  const { api, signedOut } = clientOn(() => json(401, { code: 'not_signed_in' }));
  await expect(api.call('listHosts')).rejects.toMatchObject({ code: 'not_signed_in' });
  expect(signedOut()).toBe(1);
});

test('wrong credentials at log-in are a refusal, not a reason to renew', async () => {
  const { api, seen } = clientOn(() => json(401, { code: 'not_signed_in', detail: 'Wrong.' }));
  await expect(api.call('login', { body: { username: 'a', password: 'b' } })).rejects.toMatchObject({
    detail: 'Wrong.',
  });
  expect(seen).toHaveLength(1);
});

test('a server that is not there is an error with a sentence', async () => {
  const { api } = clientOn(() => Promise.reject(new TypeError('fetch failed')));
  await expect(api.call('health')).rejects.toMatchObject({ status: 0, code: 'unreachable' });
});

test('a cut connection is tried again where the call only reads, and never where it changes something', async () => {
  let failures = 1;
  const { api, seen } = clientOn(() => {
    failures -= 1;
    return failures >= 0 ? Promise.reject(new TypeError('network changed')) : json(200, { setupNeeded: false });
  });
  await expect(api.call('setupState')).resolves.toEqual({ setupNeeded: false });
  failures = 1;
  await expect(api.call('checkUpdates', { body: {} })).rejects.toMatchObject({ status: 0 });
  expect(seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST']);
});

test('an answer that is not JSON says so', async () => {
  const { api } = clientOn(() => new Response('<html>', { status: 502 }));
  await expect(api.call('health')).rejects.toMatchObject({ status: 502 });
});
