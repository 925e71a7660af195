export { createRegistries, type RegistriesOptions } from './create-registries.ts';
export type { Registries, StoredRegistries } from './registries.ts';
export { registerRegistryRoutes } from './registries-routes.ts';
export { registriesMigrations } from './registries-store.ts';
