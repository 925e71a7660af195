import { errorCodes } from '@evenkeel/contract';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { createOpenApi } from './openapi.ts';

/** Swagger UI sets styles from its script; everything else stays as strict as on the other pages. */
const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** `/openapi.json`, `/docs` (from files beside us: no network needed) and `/docs/errors`, which problem details point to. */
export async function serveApiDocs(app: FastifyInstance, version: string): Promise<void> {
  let made: Buffer | undefined;
  // Made when it is first asked for: a start must not wait for it.
  const body = () => {
    made ??= Buffer.from(JSON.stringify(createOpenApi(version)));
    return made;
  };
  const document = { toJSON: () => JSON.parse(body().toString('utf8')) as unknown };
  app.get('/openapi.json', (_request, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').header('cache-control', 'no-cache').send(body()),
  );
  const errorsPage = errorsHtml();
  app.get('/docs/errors', (_request, reply) =>
    reply.header('content-type', 'text/html; charset=utf-8').send(errorsPage),
  );
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (_request, reply) => {
      reply.header('content-security-policy', docsPolicy);
    });
    await scope.register(swagger, { mode: 'static', specification: { document: document as never } });
    await scope.register(swaggerUi, { routePrefix: '/docs', theme: { title: 'Evenkeel API' } });
  });
}

function errorsHtml(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { status, title, fault }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td><td>${fault}</td></tr>`,
  );
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Evenkeel: error codes</title></head><body>',
    '<h1>Error codes</h1><p>Every error is a problem document (RFC 9457) whose <code>code</code> is one of these.</p>',
    '<table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th><th>Who has to act</th></tr></thead><tbody>',
    ...rows,
    '</tbody></table></body></html>',
  ].join('\n');
}
