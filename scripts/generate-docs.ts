import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { optionsReference } from '../packages/server/src/config/index.ts';
import { streamReference } from '../packages/server/src/platform/http/stream/stream-reference.ts';

/** Writes the generated pages of docs/reference; with `--check` it only tells whether they are up to date. */
const root = join(import.meta.dirname, '..');
const pages: Readonly<Record<string, () => string>> = {
  'docs/reference/options.md': optionsReference,
  'docs/reference/stream.md': streamReference,
};

const check = process.argv.includes('--check');
for (const [path, generate] of Object.entries(pages)) {
  const file = join(root, path);
  const wanted = generate();
  if (!check) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, wanted);
  } else if (present(file) !== wanted) {
    console.error(`${path} is out of date; run: npm run docs`);
    process.exitCode = 1;
  }
}

function present(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
