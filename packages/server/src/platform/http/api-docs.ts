import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { errorCodes } from '@evenkeel/contract';
import fastifyStatic from '@fastify/static';
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

/**
 * `/openapi.json`, `/docs` (Swagger UI from files beside us: no network needed) and `/docs/errors`, which problem details point
 * to. The plugin of the same package is not loaded: only its files are served, and the document is made when it is asked for.
 */
export async function serveApiDocs(app: FastifyInstance, version: string): Promise<void> {
  let document: Buffer | undefined;
  app.get('/openapi.json', (_request, reply) => {
    document ??= Buffer.from(JSON.stringify(createOpenApi(version)));
    return reply
      .header('content-type', 'application/json; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(document);
  });
  const html = 'text/html; charset=utf-8';
  app.get('/docs/errors', (_request, reply) => reply.header('content-type', html).send(errorsHtml()));
  app.get('/docs', (_request, reply) =>
    reply.header('content-type', html).header('content-security-policy', docsPolicy).send(docsHtml),
  );
  app.get('/docs/start.js', (_request, reply) =>
    reply.header('content-type', 'text/javascript; charset=utf-8').send(docsScript),
  );
  const files = dirname(createRequire(import.meta.url).resolve('@fastify/swagger-ui/package.json'));
  await app.register(fastifyStatic, {
    root: join(files, 'static'),
    prefix: '/docs/files/',
    decorateReply: false,
    index: false,
    // The pages of the package bring another application; ours needs its script and style.
    allowedPath: (path) => /\/swagger-ui(-bundle)?\.(js|css)$/.test(path),
  });
}

const docsHtml = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Evenkeel: API</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/docs/files/swagger-ui.css">
    <script src="/docs/files/swagger-ui-bundle.js" defer></script>
    <script src="/docs/start.js" defer></script>
  </head>
  <body><div id="docs"></div></body>
</html>
`;

const docsScript = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });
`;

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
