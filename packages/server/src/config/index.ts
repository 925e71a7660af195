export { type Config, type ConfigResult, readConfig, type Surroundings } from './config.ts';
export { type EngineAccess, engineAccess } from './engine-access.ts';
export { processSurroundings } from './environment.ts';
export { helpText, optionsReference } from './help.ts';
