import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { pathOf } from './problem.ts';

/** Changes with each build of the web application; `none` where there is no build. */
export function buildOf(folder: string): string {
  try {
    return createHash('sha256')
      .update(readFileSync(join(folder, 'index.html')))
      .digest('hex')
      .slice(0, 12);
  } catch {
    return 'none';
  }
}

/**
 * The web application: hashed files may be kept for ever, the page itself never. A path that a browser asks for as a page and
 * that is no file is one of the application's own.
 */
export async function serveWeb(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(fastifyStatic, { root: folder, serve: false, cacheControl: false, etag: true });
  app.get('/*', (request, reply) => {
    const path = fileOf(request);
    if (path !== undefined && path !== 'index.html' && isFile(join(folder, path))) {
      reply.header('cache-control', path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
      return reply.sendFile(path);
    }
    if (path === undefined || !wantsPage(request)) {
      reply.callNotFound();
      return reply;
    }
    reply.header('cache-control', 'no-cache');
    if (isFile(join(folder, 'index.html'))) return reply.sendFile('index.html');
    return reply
      .code(503)
      .header('content-type', 'text/plain; charset=utf-8')
      .send('The web application has not been built. Stop the server and run ./start, which builds it.\n');
  });
}

/** The path below the folder; undefined for one that points elsewhere or to a hidden file. */
function fileOf(request: FastifyRequest): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathOf(request));
  } catch {
    return undefined;
  }
  const parts = decoded.split(/[/\\]/);
  return decoded.includes('\0') || parts.some((part) => part.startsWith('.')) ? undefined : decoded.replace(/^\/+/, '');
}

function wantsPage(request: FastifyRequest): boolean {
  const path = pathOf(request);
  const accepts = request.headers.accept ?? '';
  return !path.startsWith('/api/') && !/\.[a-z0-9]+$/i.test(path) && /text\/html|\*\/\*/.test(accepts);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
