import { Health, SystemState } from './health.ts';
import { route } from './route.ts';
import { Settings, SettingsPatch } from './settings.ts';

export const systemRoutes = {
  health: route({
    id: 'health',
    method: 'GET',
    path: '/api/v1/health',
    tag: 'System',
    summary: 'Is the server there',
    access: 'public',
    status: 200,
    response: Health,
    errors: [],
  }),
  system: route({
    id: 'system',
    method: 'GET',
    path: '/api/v1/system',
    tag: 'System',
    summary: 'Version and notices',
    access: 'system:read',
    status: 200,
    response: SystemState,
    errors: [],
  }),
  getSettings: route({
    id: 'getSettings',
    method: 'GET',
    path: '/api/v1/settings',
    tag: 'Settings',
    summary: 'All settings',
    access: 'settings:read',
    status: 200,
    response: Settings,
    errors: [],
  }),
  changeSettings: route({
    id: 'changeSettings',
    method: 'PATCH',
    path: '/api/v1/settings',
    tag: 'Settings',
    summary: 'Change what is named',
    access: 'settings:manage',
    body: SettingsPatch,
    status: 200,
    response: Settings,
    errors: ['read_only'],
  }),
} as const;
