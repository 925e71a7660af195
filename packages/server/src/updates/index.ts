export { createUpdates, type UpdatesOptions } from './create-updates.ts';
export type { ChosenCandidate, Updates } from './updates.ts';
export { updatesMigrations } from './updates-migrations-store.ts';
export { registerUpdateRoutes } from './updates-routes.ts';
