import { expect, test } from 'vitest';
import { findInjected, mostChecked } from './injected.ts';
import type { Change } from './losses.ts';
import { inspectOf } from './members-for-tests.ts';

const labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' };
const web = inspectOf('web', {
  Created: '2026-01-01T00:00:00.5Z',
  State: { ...inspectOf('web').State, StartedAt: '2026-01-01T00:00:02.5Z' },
  Config: { Image: 'nginx:1', Labels: labels },
});
const added = (path: string): Change => ({ path, kind: 'added' });

/** Times of last change by path, and what was asked for. */
function stats(times: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  return {
    asked,
    stat: async (path: string) => {
      asked.push(path);
      const modified = times[path];
      return modified === undefined ? undefined : { modified };
    },
  };
}

test('what came between create and start is found, what is sure is not asked for', async () => {
  const { asked, stat } = stats({ '/etc/app.conf': '2026-01-01T00:00:01Z', '/tmp/own': '2026-01-01T00:00:09Z' });
  const changes = ['/run/secrets/key', '/etc/app.conf', '/tmp/own', '/gone'].map(added);
  const found = await findInjected(web, changes, stat);
  expect(found).toEqual({ paths: ['/run/secrets/key', '/etc/app.conf'], warnings: [] });
  expect(asked).not.toContain('/run/secrets/key');
});

test('only so many files are looked at, those near the root first, and the rest is said', async () => {
  const deep = Array.from({ length: mostChecked + 40 }, (_, index) => added(`/app/cache/${index}/file`));
  const { asked, stat } = stats({ '/etc/app.conf': '2026-01-01T00:00:01Z' });
  const { paths, warnings } = await findInjected(web, [...deep, added('/etc/app.conf')], stat);
  expect(paths).toEqual(['/etc/app.conf']);
  expect(asked.length).toBe(mostChecked);
  expect(warnings).toMatchObject([{ code: 'injected-unchecked', text: expect.stringContaining('41 of 241 files') }]);
});
