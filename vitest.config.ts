import { defineConfig } from 'vitest/config';

/** Four projects: unit needs nothing; the others start a private engine, registry or browser of the test bed. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.{ts,tsx}', 'tests/architecture/**/*.test.ts', 'scripts/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      ...(['scenarios', 'chaos', 'browser'] as const).map((name) => ({
        test: {
          name,
          include: [`tests/${name}/**/*.test.ts`],
          // Chaos tests kill engines, so each starts its own.
          globalSetup: name === 'chaos' ? [] : ['packages/testbed/src/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // A crowded machine may let one time out; scripts/test.ts names what needed the second try. A kill that loses a container
          // now and then has found something.
          retry: name !== 'chaos' && process.env['CI'] === 'true' ? 1 : 0,
          fileParallelism: name === 'scenarios',
          maxWorkers: 2,
        },
      })),
    ],
  },
});
