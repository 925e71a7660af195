import { Operation, OperationListQuery, OperationLog } from './operations.ts';
import { pageOf } from './page.ts';
import { IdParams, route } from './route.ts';

export const operationRoutes = {
  listOperations: route({
    id: 'listOperations',
    method: 'GET',
    path: '/api/v1/operations',
    tag: 'Operations',
    summary: 'Operations, newest first',
    access: 'operation:read',
    query: OperationListQuery,
    status: 200,
    response: pageOf(Operation),
    errors: [],
  }),
  getOperation: route({
    id: 'getOperation',
    method: 'GET',
    path: '/api/v1/operations/:id',
    tag: 'Operations',
    summary: 'One operation',
    access: 'operation:read',
    params: IdParams,
    status: 200,
    response: Operation,
    errors: ['not_found'],
  }),
  operationLog: route({
    id: 'operationLog',
    method: 'GET',
    path: '/api/v1/operations/:id/log',
    tag: 'Operations',
    summary: 'Its log',
    access: 'operation:read',
    params: IdParams,
    status: 200,
    response: OperationLog,
    errors: ['not_found'],
  }),
  cancelOperation: route({
    id: 'cancelOperation',
    method: 'POST',
    path: '/api/v1/operations/:id/cancel',
    tag: 'Operations',
    summary: 'Cancel, where that is still safe',
    access: 'operation:cancel',
    params: IdParams,
    status: 202,
    response: Operation,
    errors: ['not_found', 'conflict'],
  }),
} as const;
