import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Demo, startDemo } from '@evenkeel/testbed';
import { afterAll, expect, test } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'evenkeel-demo-'));
let demo: Demo | undefined;
afterAll(async () => {
  await demo?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const list = async ({ engine }: Demo) =>
  (await engine.docker('ps', '-a', '--no-trunc', '--format', '{{.Names}} {{.ID}} {{.State}}')).split('\n').sort();

/** The digest of a tag in the demo's registry. */
async function digestOfTag({ registry }: Demo, repository: string, tag: string): Promise<string | null> {
  const accept = 'application/vnd.docker.distribution.manifest.v2+json';
  const url = `${registry.url}/v2/${repository}/manifests/${tag}`;
  return (await fetch(url, { method: 'HEAD', headers: { accept } })).headers.get('docker-content-digest');
}

test('the demo has something to update, ends without a trace, and starts again with the same containers', async () => {
  demo = await startDemo({ directory });
  const first = await list(demo);
  expect(first.map((line) => line.split(' ')[0])).toEqual([
    'dns',
    'downloads',
    'mail',
    'notes',
    'photos',
    'reports',
    'shop-api',
    'shop-db',
    'shop-web',
    'vpn',
    'wiki',
  ]);
  expect(first.filter((line) => !line.endsWith('running')).map((line) => line.split(' ')[0])).toEqual(['reports']);

  const running = await demo.engine.docker(
    'image',
    'inspect',
    '-f',
    '{{index .RepoDigests 0}}',
    `${demo.registry.host}/shop/api:stable`,
  );
  expect(await digestOfTag(demo, 'shop/api', 'stable')).not.toBe(running.split('@')[1]);
  const tags = (await (await fetch(`${demo.registry.url}/v2/shop/web/tags/list`)).json()) as { tags: string[] };
  expect(tags.tags).toEqual(expect.arrayContaining(['1.4.2', '1.4.3']));

  const { slot } = demo.engine;
  await demo.stop();
  demo = undefined;
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(directory);
  expect(existsSync(`/sys/class/net/evenkeel${slot}`)).toBe(false);
  expect(existsSync(`/run/evenkeel-testbed/${slot}.json`)).toBe(false);

  const sentences: string[] = [];
  demo = await startDemo({ directory, report: (sentence) => sentences.push(sentence) });
  expect(await list(demo)).toEqual(first);
  expect(sentences).toEqual(['Starting a private Docker Engine and a private registry']);
}, 300_000);
