import { routes } from '@evenkeel/contract';
import type { Router } from '../platform/http/router.ts';
import type { Notices } from './notices.ts';

export interface SystemFacts {
  readonly version: string;
  readonly build: string;
  /** Whether nothing can be changed at present. */
  readonly readOnly: () => boolean;
  readonly notices: Notices;
}

export function registerSystemRoutes(router: Router, { version, build, readOnly, notices }: SystemFacts): void {
  router.handle(routes.health, () => ({
    status: isWell(notices) ? ('ok' as const) : ('degraded' as const),
    version,
    build,
  }));
  router.handle(routes.system, ({ request }) => ({
    version,
    build,
    readOnly: readOnly(),
    encrypted: request.encrypted,
    notices: [...notices.collection.values()],
  }));
}

function isWell(notices: Notices): boolean {
  return [...notices.collection.values()].every((notice) => notice.severity === 'info');
}
