import { routes } from '@evenkeel/contract';
import type { Router } from '../platform/http/router.ts';
import type { Runs } from './runs.ts';

/** All routes about runs, and the plan of an update. */
export function registerRunRoutes(router: Router, runs: Runs): void {
  router.handle(routes.planUpdate, ({ body, request }) => runs.plan(body, request.signal));
  router.handle(routes.startRuns, ({ body, actor }) => runs.start(body.containers, actor));
  router.list(routes.listRuns, {
    collection: runs.collection,
    matches: (run, { host, name, state }) =>
      (host === undefined || run.host === host) &&
      (name === undefined || run.name === name) &&
      (state === undefined || run.state === state),
    texts: ({ name, from, to }) => [name, from.image, to.image],
    sorts: {
      createdAt: ({ createdAt }) => createdAt,
      name: ({ name }) => name,
      state: ({ state }) => state,
    },
  });
  router.handle(routes.getRun, ({ params }) => runs.find(params.id));
  router.handle(routes.planRollback, ({ params, request }) => runs.planRollback(params.id, request.signal));
  router.handle(routes.rollBack, async ({ params, body, actor }) => {
    const gate = body.gate === undefined ? {} : { gate: body.gate };
    return { operation: (await runs.rollBack(params.id, gate, actor)).id };
  });
}
