import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { loadPart } from '../lib/load-part.ts';
import { ErrorPage, NotFoundPage } from './error-page.tsx';
import { Root } from './root.tsx';
import { oneOf, text, textList } from './search-params.ts';

const rootRoute = createRootRoute({ component: Root, notFoundComponent: NotFoundPage, errorComponent: ErrorPage });

/** View state stands in the URL: a reload or a shared link shows the same. Lists are joined by commas. */
interface ContainersView {
  q?: string | undefined;
  state?: string | undefined;
  update?: string | undefined;
  host?: string | undefined;
  sort?: string | undefined;
  /** Not grouped by stack. */
  flat?: '1' | undefined;
}

interface UpdatesView {
  show?: 'rest' | undefined;
  q?: string | undefined;
  level?: string | undefined;
  state?: string | undefined;
  host?: string | undefined;
}

interface ActivityView {
  state?: 'active' | 'finished' | 'failed' | undefined;
  /** The operation whose log is open. */
  open?: string | undefined;
}

const detailViews = ['overview', 'logs', 'environment', 'history'] as const;
interface ContainerView {
  view?: (typeof detailViews)[number] | undefined;
}

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/containers' });
  },
});

const containersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/containers',
  validateSearch: (search: Record<string, unknown>): ContainersView => ({
    q: text(search['q']),
    state: textList(search['state']),
    update: textList(search['update']),
    host: textList(search['host']),
    sort: text(search['sort']),
    flat: oneOf(search['flat'], ['1'] as const),
  }),
  component: lazyRouteComponent(
    () => loadPart(() => import('../features/containers/containers-page.tsx')),
    'ContainersPage',
  ),
});

const containerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/containers/$host/$name',
  validateSearch: (search: Record<string, unknown>): ContainerView => ({ view: oneOf(search['view'], detailViews) }),
  component: lazyRouteComponent(
    () => loadPart(() => import('../features/containers/container-page.tsx')),
    'ContainerPage',
  ),
});

const updatesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/updates',
  validateSearch: (search: Record<string, unknown>): UpdatesView => ({
    show: oneOf(search['show'], ['rest'] as const),
    q: text(search['q']),
    level: textList(search['level']),
    state: textList(search['state']),
    host: textList(search['host']),
  }),
  component: lazyRouteComponent(() => loadPart(() => import('../features/updates/updates-page.tsx')), 'UpdatesPage'),
});

const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs/$id',
  component: lazyRouteComponent(() => loadPart(() => import('../features/runs/run-page.tsx')), 'RunPage'),
});

const activityRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/activity',
  validateSearch: (search: Record<string, unknown>): ActivityView => ({
    state: oneOf(search['state'], ['active', 'finished', 'failed'] as const),
    open: text(search['open']),
  }),
  component: lazyRouteComponent(
    () => loadPart(() => import('../features/operations/activity-page.tsx')),
    'ActivityPage',
  ),
});

const hostsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/hosts',
  component: lazyRouteComponent(() => loadPart(() => import('../features/hosts/hosts-page.tsx')), 'HostsPage'),
});

const registriesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/registries',
  component: lazyRouteComponent(
    () => loadPart(() => import('../features/registries/registries-page.tsx')),
    'RegistriesPage',
  ),
});

const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/settings',
  component: lazyRouteComponent(() => loadPart(() => import('../features/settings/settings-page.tsx')), 'SettingsPage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    indexRoute,
    containersRoute,
    containerRoute,
    updatesRoute,
    runRoute,
    activityRoute,
    hostsRoute,
    registriesRoute,
    settingsRoute,
  ]),
  defaultPreload: 'intent',
  defaultPendingMs: 300,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
