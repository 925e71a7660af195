/** A real engine, a real registry, images to update, and faults between them: for the demo, the tests and the benches. */
export { images } from './behaviours.ts';
export { type EngineOptions, requirePrivateEngine, startEngine } from './engine.ts';
export type { TestEngine } from './engine-access.ts';
export type { CliResult } from './engine-cli.ts';
export type { EngineResponse } from './engine-request.ts';
export { buildImage, type Image, type ImageHealthcheck, type ImageSpec } from './image.ts';
export { digestOf, type LayerEntry } from './layer.ts';
export { loadImage } from './load.ts';
export { findProgram, type Program, requireProgram } from './programs.ts';
export { deleteTag, moveTag, type PushedImage, type PushedIndex, pushImage, pushIndex } from './push.ts';
export { type RegistryOptions, startRegistry, type TestRegistry } from './registry.ts';
export type { RegistryFault, RegistryRequest } from './registry-proxy.ts';
export type { TokenRequest } from './token-server.ts';
export { TestbedUnavailable } from './unavailable.ts';
export { uniqueName } from './unique-name.ts';
export { type WaitOptions, waitFor } from './wait-for.ts';
