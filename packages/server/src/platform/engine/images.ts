import type { EngineCall, EngineConnection } from './connection.ts';
import type { EngineImages, RegistryAuth } from './engine.ts';
import type { ImageInspect, ImageSummary } from './engine-types.ts';
import { absent, imageSegment, query } from './paths.ts';
import { readPull } from './pull-stream.ts';

/** `/images/…` of the Engine API. */
export function createImageCalls(connection: EngineConnection): EngineImages {
  return {
    async list() {
      return (await connection.read<ImageSummary[]>({ method: 'GET', path: '/images/json' })) ?? [];
    },

    async inspect(idOrReference, signal) {
      try {
        const path = `/images/${imageSegment(idOrReference)}/json`;
        return await connection.read<ImageInspect>({ method: 'GET', path, signal });
      } catch (error) {
        return absent(error);
      }
    },

    async pull(reference, options = {}) {
      const { name, version } = splitReference(reference);
      const call: EngineCall = {
        method: 'POST',
        path: `/images/create${query({ fromImage: name, tag: version, platform: options.platform })}`,
        headers: options.auth === undefined ? {} : { 'x-registry-auth': encodeAuth(options.auth) },
        patience: 'endless',
        signal: options.signal,
      };
      await connection.change(call, async (reply, sent) => {
        await readPull(connection.chunks(sent, reply.body), `POST ${call.path}`, options.onProgress);
        sent.signal?.throwIfAborted();
      });
    },

    tag: (idOrReference, repository, tag) =>
      connection.change({
        method: 'POST',
        path: `/images/${imageSegment(idOrReference)}/tag${query({ repo: repository, tag })}`,
      }),

    remove: (idOrReference) =>
      connection.change({ method: 'DELETE', path: `/images/${imageSegment(idOrReference)}`, accept: [404] }),
  };
}

/**
 * Name and tag or digest of a reference, as `docker pull` sends them: the digest wins over the tag, neither is `latest`
 * (an empty tag would make the engine pull all tags).
 */
export function splitReference(reference: string): { name: string; version: string } {
  const at = reference.indexOf('@');
  const tagged = at < 0 ? reference : reference.slice(0, at);
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  const name = colon < 0 ? tagged : tagged.slice(0, colon);
  if (at >= 0) return { name, version: reference.slice(at + 1) };
  return { name, version: colon < 0 ? 'latest' : tagged.slice(colon + 1) };
}

/** base64url WITH padding: an engine silently pulls without credentials when it is missing. */
function encodeAuth(auth: RegistryAuth): string {
  return Buffer.from(JSON.stringify(auth)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
