export { watchHosts } from './host-notices.ts';
export { createMetrics, type Metrics, type MetricsSources } from './metrics.ts';
export { createNotices, type Notices } from './notices.ts';
export { registerSystemRoutes, type SystemFacts } from './system-routes.ts';
export { watchWriting } from './write-notices.ts';
