import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { EngineCall, EngineConnection } from './connection.ts';
import type { EngineContainers } from './engine.ts';
import type { ContainerInspect, ContainerSummary } from './engine-types.ts';
import { followLog } from './logs.ts';
import { absent, query, segment } from './paths.ts';
import { refuseCompressed } from './plain-tar.ts';

const changeKinds = ['modified', 'added', 'deleted'] as const;

/** `/containers/…` of the Engine API. */
export function createContainerCalls(connection: EngineConnection): EngineContainers {
  const path = (idOrName: string, rest = '') => `/containers/${segment('container', idOrName)}${rest}`;

  return {
    async list(signal) {
      return (
        (await connection.read<ContainerSummary[]>({ method: 'GET', path: '/containers/json?all=1', signal })) ?? []
      );
    },

    async inspect(idOrName, signal) {
      try {
        return await connection.read<ContainerInspect>({ method: 'GET', path: path(idOrName, '/json'), signal });
      } catch (error) {
        return absent(error);
      }
    },

    async create(name, body, options = {}) {
      const call: EngineCall = {
        method: 'POST',
        path: `/containers/create${query({ name, platform: options.platform })}`,
        json: body,
      };
      const created = await connection.change(call, connection.json<{ Id: string; Warnings?: string[] | null }>);
      return { id: created.Id, warnings: created.Warnings ?? [] };
    },

    start: (idOrName) => connection.change({ method: 'POST', path: path(idOrName, '/start'), accept: [304] }),

    stop: (idOrName, options = {}) =>
      connection.change({
        method: 'POST',
        path: path(idOrName, `/stop${query({ t: options.timeoutSeconds })}`),
        accept: [304],
        patience: 'endless',
      }),

    restart: (idOrName, options = {}) =>
      connection.change({
        method: 'POST',
        path: path(idOrName, `/restart${query({ t: options.timeoutSeconds })}`),
        patience: 'endless',
      }),

    rename: (idOrName, name) =>
      connection.change({ method: 'POST', path: path(idOrName, `/rename${query({ name })}`) }),

    update: (idOrName, patch) => connection.change({ method: 'POST', path: path(idOrName, '/update'), json: patch }),

    remove: (idOrName, options = {}) =>
      connection.change({
        method: 'DELETE',
        path: path(idOrName, query({ force: options.force, v: options.volumes })),
        accept: [404],
      }),

    async wait(idOrName, condition, signal) {
      const call: EngineCall = {
        method: 'POST',
        path: path(idOrName, `/wait${query({ condition })}`),
        patience: 'endless',
        accept: [404],
        signal,
      };
      return connection.attend(call, async (reply, sent) => {
        const answer = await connection.json<{ StatusCode?: number }>(reply, sent);
        return { exitCode: reply.status === 404 ? undefined : answer.StatusCode };
      });
    },

    async changes(idOrName) {
      const call: EngineCall = { method: 'GET', path: path(idOrName, '/changes') };
      const found = await connection.read<{ Path: string; Kind: number }[] | null>(call);
      return (found ?? []).map(({ Path, Kind }) => ({ path: Path, kind: changeKinds[Kind] ?? 'modified' }));
    },

    async statPath(idOrName, statted) {
      const call: EngineCall = { method: 'HEAD', path: path(idOrName, `/archive${query({ path: statted })}`) };
      try {
        const reply = await connection.open(call);
        for await (const _ of connection.chunks(call, reply.body));
        const header = String(reply.headers['x-docker-container-path-stat'] ?? '');
        const { mtime } = JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as { mtime: string };
        return { modified: mtime };
      } catch (error) {
        return absent(error);
      }
    },

    async getArchive(idOrName, archivePath) {
      const call: EngineCall = { method: 'GET', path: path(idOrName, `/archive${query({ path: archivePath })}`) };
      try {
        const reply = await connection.open(call);
        return Readable.toWeb(
          Readable.from(connection.chunks(call, reply.body), { objectMode: false }),
        ) as ReadableStream<Uint8Array>;
      } catch (error) {
        return absent(error);
      }
    },

    async putArchive(idOrName, archivePath, tar) {
      const body =
        tar instanceof Uint8Array ? Readable.from([Buffer.from(tar)]) : Readable.fromWeb(tar as NodeReadableStream);
      await connection.change({
        method: 'PUT',
        path: path(idOrName, `/archive${query({ path: archivePath })}`),
        raw: { type: 'application/x-tar', body: Readable.from(refuseCompressed(body), { objectMode: false }) },
      });
    },

    logs: (idOrName, options) => followLog(connection, path(idOrName, '/logs'), options),
  };
}
