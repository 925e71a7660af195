declare module '*.css';
declare module 'virtual:route-table' {
  import type { RouteTable } from './lib/api.ts';
  export const routeTable: RouteTable;
}
