import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// The program of the built server is one large file, and compiling it is most of a start: its code is kept beside it.
if (import.meta.dirname.endsWith('dist')) enableCompileCache(join(import.meta.dirname, '.compiled'));
const { serve } = await import('./serve.ts');
await serve();
