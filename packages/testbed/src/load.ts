import { pack } from 'tar-stream';
import type { TestEngine } from './engine-access.ts';
import type { Image } from './image.ts';

/**
 * Gives an image to an engine without a registry, under `name:tag`: to the engine it is a local build. Returns its id.
 */
export async function loadImage(engine: TestEngine, image: Image, reference: string): Promise<string> {
  const tape = pack();
  const configName = `${image.imageId.slice('sha256:'.length)}.json`;
  const layerNames = image.layers.map((layer) => `${layer.diffId.slice('sha256:'.length)}/layer.tar`);
  tape.entry({ name: configName }, image.config);
  for (const [index, layer] of image.layers.entries()) tape.entry({ name: layerNames[index] ?? '' }, layer.tar);
  tape.entry(
    { name: 'manifest.json' },
    JSON.stringify([{ Config: configName, RepoTags: [reference], Layers: layerNames }]),
  );
  tape.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tape) chunks.push(chunk as Buffer);
  const answer = await engine.request('POST', '/images/load?quiet=1', Buffer.concat(chunks));
  if (answer.status !== 200 || answer.text.includes('"error"'))
    throw new Error(`Loading ${reference} failed: ${answer.text}`);
  return image.imageId;
}
