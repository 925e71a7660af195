export { createOperations, type OperationsWithLog } from './create-operations.ts';
export type { OperationContext, OperationRequest, Operations } from './operations.ts';
export { registerOperationRoutes } from './operations-routes.ts';
export { operationsMigrations } from './operations-store.ts';
