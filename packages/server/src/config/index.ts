export { type Config, type ConfigResult, readConfig } from './config.ts';
export { processSurroundings } from './environment.ts';
export { type EngineSearch, findEngine } from './find-engine.ts';
export { helpText, optionsReference } from './help.ts';
