import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSources, readStamp, writeStamp } from './content-stamp.ts';

/** Builds the web client and the server bundle, each only when a source of it has changed. Without arguments. */
const root = join(import.meta.dirname, '..');
const shared = ['package-lock.json', 'packages/contract/src'];

/** Packages that cannot be put into one file: native code, WebAssembly, worker files or pages that they read from beside themselves. */
const external = ['better-sqlite3', '@node-rs/argon2', 're2-wasm', '@fastify/swagger-ui', 'pino'];

/** Compiling the bundle is most of a start, so that its compiled code is kept beside it. */
const starter = `import { enableCompileCache } from 'node:module';
enableCompileCache(import.meta.dirname + '/.compiled');
await import('./server.js');
`;

interface Target {
  name: string;
  sources: readonly string[];
  directory: string;
  /** The file without which there is no build. */
  main: string;
  build(): Promise<void>;
}

const targets: readonly Target[] = [
  {
    name: 'web client',
    sources: [...shared, 'packages/web'],
    directory: 'packages/web/dist',
    main: 'index.html',
    build: buildWeb,
  },
  {
    name: 'server',
    sources: [...shared, 'scripts/build.ts', 'packages/server/package.json', 'packages/server/src'],
    directory: 'packages/server/dist',
    main: 'main.js',
    build: buildServer,
  },
];

for (const { name, sources, directory, main, build } of targets) {
  const stamp = hashSources(root, sources);
  const stampFile = join(root, directory, '.sources');
  if (existsSync(join(root, directory, main)) && readStamp(stampFile) === stamp) continue;
  const started = performance.now();
  try {
    await build();
  } catch (error) {
    console.error(`Building the ${name} failed: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
  writeStamp(stampFile, stamp);
  console.log(`Built the ${name} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

async function buildWeb(): Promise<void> {
  const { build } = await import('vite');
  const configFile = join(root, 'packages/web/vite.config.ts');
  await build({ configFile, root: join(root, 'packages/web'), logLevel: 'warn' });
}

async function buildServer(): Promise<void> {
  const { build } = await import('esbuild');
  rmSync(join(root, 'packages/server/dist'), { recursive: true, force: true });
  await build({
    entryPoints: [join(root, 'packages/server/src/main.ts')],
    outfile: join(root, 'packages/server/dist/server.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    sourcemap: 'linked',
    legalComments: 'none',
    logLevel: 'warning',
    external,
    // CommonJS packages inside the bundle ask for Node's own modules with require.
    banner: {
      js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
    },
  });
  writeFileSync(join(root, 'packages/server/dist/main.js'), starter);
}
