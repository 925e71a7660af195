export type { Accounts } from './accounts.ts';
export { registerAccountRoutes, sessionCookie } from './accounts-routes.ts';
export { accountsMigrations } from './accounts-store.ts';
export { createAccounts } from './create-accounts.ts';
