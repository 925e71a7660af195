import { expect, test } from 'vitest';
import { composeTagWarning } from './compose-labels.ts';
import { inspectOf } from './members-for-tests.ts';

const labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' };
const web = (image: string, Labels: Record<string, string> = labels) =>
  inspectOf('web', { Config: { Image: image, Labels } });

test('another tag on a container of Compose is warned of: the file still has the old one', () => {
  expect(composeTagWarning(web('nginx:1.27'), 'nginx:1.28')).toMatchObject([
    { code: 'compose-tag', text: expect.stringContaining('1.27'), remedy: expect.stringContaining('nginx:1.28') },
  ]);
  expect(composeTagWarning(web('nginx'), 'nginx:1.28')).toMatchObject([{ code: 'compose-tag' }]);
  expect(composeTagWarning(web('nginx:1@sha256:ab'), 'nginx:2@sha256:cd')).toMatchObject([{ code: 'compose-tag' }]);
});

test('the same tag, and a container without Compose, need no warning', () => {
  expect(composeTagWarning(web('nginx:1.27'), 'nginx:1.27')).toEqual([]);
  expect(composeTagWarning(web('nginx'), 'nginx:latest')).toEqual([]);
  expect(composeTagWarning(web('nginx:1@sha256:ab'), 'nginx:1@sha256:cd')).toEqual([]);
  expect(composeTagWarning(web('nginx:1.27', {}), 'nginx:1.28')).toEqual([]);
});
