import { expect, it } from 'vitest';
import { readRemoteImage } from './remote-images.ts';
import { indexOf, plainImage, type ScriptedRegistry, scriptedRegistry } from './scripted-registry.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const [a, b] = ['a', 'b'].map(digest) as [string, string];
const read = ({ client }: ScriptedRegistry, platform = 'linux/amd64') =>
  readRemoteImage(client, { host: 'docker.io', path: 'x/y' }, a, platform, new AbortController().signal);

it('a chart, a policy or a signature is no image for any platform', async () => {
  const registry = scriptedRegistry();
  registry.manifests[a] = plainImage(a, 'application/vnd.cncf.helm.config.v1+json');
  expect(await read(registry)).toMatchObject({ platformDigest: null, imageId: null });
  registry.manifests[a] = plainImage(a, 'application/vnd.docker.container.image.v1+json');
  expect(await read(registry)).toMatchObject({ platformDigest: a });
});

it('a plain manifest whose configuration names no operating system is no image for any platform', async () => {
  const registry = scriptedRegistry();
  const client = {
    ...registry.client,
    imageConfig: async () => ({ os: '', architecture: '', diffIds: [], config: {} }),
  };
  expect(await read({ ...registry, client })).toMatchObject({ platformDigest: null });
  registry.manifests[a] = indexOf({ 'linux/amd64': b });
  expect(await read({ ...registry, client })).toMatchObject({ platformDigest: b });
});

it('long texts of a configuration are cut or left out', async () => {
  const registry = scriptedRegistry();
  const Labels = {
    'org.opencontainers.image.version': '1'.repeat(100_000),
    'org.opencontainers.image.source': `https://x.example/${'y'.repeat(100_000)}`,
    ...Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`l${index}`, 'x'.repeat(50)])),
  };
  const client = {
    ...registry.client,
    imageConfig: async () => ({ os: 'linux', architecture: 'amd64', diffIds: [], config: { Labels } }),
  };
  const image = await read({ ...registry, client });
  expect(image.version).toHaveLength(200);
  expect(image.source).toBeNull();
  expect(JSON.stringify(image).length).toBeLessThan(200_000);
});
