export { type ChangeableSettings, createSettings } from './create-settings.ts';
export type { SettingsSource } from './settings.ts';
export { registerSettingsRoutes } from './settings-routes.ts';
export { settingsMigrations } from './settings-store.ts';
