import { readFileSync } from 'node:fs';
import type { Surroundings } from './config.ts';

/** The real surroundings of this process: the only place that reads `process.env`. */
export function processSurroundings(): Surroundings {
  return {
    environment: { ...process.env },
    arguments: process.argv.slice(2),
    readFile: (path) => readFileSync(path, 'utf8'),
  };
}
