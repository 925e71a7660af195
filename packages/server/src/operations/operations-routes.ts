import { type Operation, routes } from '@evenkeel/contract';
import { Fault } from '../platform/fault.ts';
import type { Router } from '../platform/http/router.ts';
import type { OperationsWithLog } from './create-operations.ts';

export function registerOperationRoutes(router: Router, operations: OperationsWithLog): void {
  router.list(routes.listOperations, {
    collection: operations.collection,
    beyond: () => operations.beyond(),
    matches: (operation, query) =>
      (query.state === undefined || operation.state === query.state) &&
      (query.kind === undefined || operation.kind === query.kind),
    texts: (operation) => [operation.title, ...operation.targets],
    sorts: {
      createdAt: ({ createdAt }) => createdAt,
      title: ({ title }) => title,
      state: ({ state }) => state,
    },
  });
  router.handle(routes.getOperation, ({ params }) => known(operations, params.id));
  router.handle(routes.operationLog, ({ params }) => {
    known(operations, params.id);
    return { lines: operations.log(params.id) };
  });
  router.handle(routes.cancelOperation, ({ params, actor }) => operations.cancel(params.id, actor));
}

function known(operations: OperationsWithLog, id: string): Operation {
  const operation = operations.get(id);
  if (operation === undefined)
    throw new Fault('not_found', `There is no operation ${id}. It may have been too old to keep.`);
  return operation;
}
