export { createRuns, type RunsParts } from './create-runs.ts';
export { runsMigrations } from './journal-store.ts';
export type { Runs } from './runs.ts';
export { registerRunRoutes } from './runs-routes.ts';
export { takeOverCommand } from './spec-handover.ts';
export { takeOver } from './take-over.ts';
