import { Activity, Boxes, CircleFadingArrowUp, Database, Server, Settings2 } from 'lucide-react';

/** The pages of the navigation, in order. `key` follows `g` on the keyboard. */
export const pages = [
  { to: '/containers', name: 'containers', icon: Boxes, key: 'c' },
  { to: '/updates', name: 'updates', icon: CircleFadingArrowUp, key: 'u' },
  { to: '/activity', name: 'activity', icon: Activity, key: 'a' },
  { to: '/hosts', name: 'hosts', icon: Server, key: 'h' },
  { to: '/registries', name: 'registries', icon: Database, key: 'r' },
  { to: '/settings', name: 'settings', icon: Settings2, key: 's' },
] as const;
