import { describe, expect, test } from 'vitest';
import { type Change, injectedFiles, losses, ownChanges, wasInjected } from './losses.ts';
import { sampleContainer, sampleVolume } from './spec-samples.ts';

const added = (path: string): Change => ({ path, kind: 'added' });
const modified = (path: string): Change => ({ path, kind: 'modified' });
const deleted = (path: string): Change => ({ path, kind: 'deleted' });

describe('what is lost with the old container', () => {
  const container = sampleContainer({
    mounts: [sampleVolume('v', '/var/lib/data')],
    host: { Tmpfs: { '/quick': '' } },
  });
  const paths = (changes: Change[]) => ownChanges(changes, container).map(({ path }) => path);

  test.each<[string, Change[]]>([
    [
      'mount points and the folders above them',
      [modified('/var'), modified('/var/lib'), added('/var/lib/data'), added('/var/lib/data/x'), added('/quick')],
    ],
    [
      'what the engine puts into every container',
      [
        added('/.dockerenv'),
        modified('/etc'),
        added('/etc/hosts'),
        added('/etc/hostname'),
        added('/etc/resolv.conf'),
        added('/dev'),
        added('/dev/console'),
        added('/proc'),
        added('/sys'),
      ],
    ],
  ])('not %s', (_what, changes) => {
    expect(paths(changes)).toEqual([]);
  });

  test('files that the program made, changed or deleted, without the folders around them', () => {
    const changes = [
      modified('/etc'),
      modified('/etc/passwd'),
      added('/srv'),
      added('/srv/new'),
      added('/srv/new/file'),
      added('/empty'),
      deleted('/bin/tool'),
      modified('/bin'),
    ];
    expect(paths(changes)).toEqual(['/etc/passwd', '/srv/new/file', '/empty', '/bin/tool']);
  });

  test('is told in one sentence, shortened, with what to do', () => {
    const many = Array.from({ length: 11 }, (_, index) => added(`/file${index}`));
    const [layer, logs] = losses([...many, deleted('/bin/tool')], container);
    expect(layer).toMatchObject({ code: 'writable-layer' });
    expect(layer?.text).toBe(
      "12 changes in the container's own file system will be lost: /file0, /file1, /file2, /file3, /file4, /file5, /file6, /file7 and 4 more.",
    );
    expect(layer?.remedy).toMatch(/volume/);
    expect(logs).toMatchObject({ code: 'logs', text: expect.stringContaining('keeps its last 100 lines') });
  });

  test('says that a file was deleted, and leaves out what is copied', () => {
    const found = losses([deleted('/bin/tool'), added('/run/secrets/key')], container, {
      copied: ['/run/secrets/key'],
    });
    expect(found[0]?.text).toContain("1 change in the container's own file system will be lost: /bin/tool (deleted).");
  });

  test.each<[string, Parameters<typeof sampleContainer>[0]]>([
    ['a log that is kept elsewhere', { host: { LogConfig: { Type: 'syslog' } } }],
    ['a container that never ran', { state: { Status: 'created' } }],
  ])('no log is lost: %s', (_what, parts) => {
    expect(losses([], sampleContainer(parts))).toEqual([]);
  });
});

describe('files that Compose injects', () => {
  const Labels = { 'com.docker.compose.project': 'p', 'com.docker.compose.service': 's' };
  const container = sampleContainer({ config: { Labels }, mounts: [sampleVolume('v', '/run/secrets/mounted')] });

  test('are sure below /run/secrets, possible elsewhere, and never what is mounted or changed', () => {
    const changes = [
      added('/run/secrets'),
      added('/run/secrets/key'),
      added('/run/secrets/mounted'),
      added('/my-config'),
      modified('/etc/passwd'),
    ];
    expect(injectedFiles(container, changes)).toEqual([
      { path: '/run/secrets/key', sure: true },
      { path: '/my-config', sure: false },
    ]);
  });

  test('are only looked for where Compose made the container', () => {
    expect(injectedFiles(sampleContainer(), [added('/run/secrets/key')])).toEqual([]);
  });

  test.each([
    ['in the second of the create', '2026-01-01T00:00:00Z', true],
    ['before the start', '2026-01-01T00:00:02Z', true],
    ['long before the create', '2025-12-31T23:59:50Z', false],
    ['after the start', '2026-01-01T00:00:08Z', false],
    ['before the start, but with a fraction of a second', '2026-01-01T00:00:02.123456789Z', false],
  ])('are told by their time: %s', (_what, time, expected) => {
    expect(wasInjected(container, time)).toBe(expected);
  });

  test('a restart long after the create does not make the files of the program injected ones', () => {
    const restarted = sampleContainer({ config: { Labels }, state: { StartedAt: '2026-02-01T00:00:00Z' } });
    expect(wasInjected(restarted, '2026-01-15T00:00:00Z')).toBe(false);
    const neverStarted = sampleContainer({ config: { Labels }, state: { StartedAt: '0001-01-01T00:00:00Z' } });
    expect(wasInjected(neverStarted, '2026-01-01T00:00:05Z')).toBe(true);
  });
});
