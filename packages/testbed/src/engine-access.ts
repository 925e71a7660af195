import { mkdirSync } from 'node:fs';
import { type CliResult, runCli } from './engine-cli.ts';
import { type EngineResponse, request } from './engine-request.ts';

/** A real Docker Engine for tests. A private one unless `EVENKEEL_TEST_ENGINE` names an existing one. */
export interface TestEngine {
  socketPath: string;
  /** `unix://` and the socket path. */
  url: string;
  /** False for an existing engine: `kill` and its like are refused there. */
  private: boolean;
  /** Its slot among the private engines of the machine; 63 for an existing engine. */
  slot: number;
  /** Runs the docker command line against this engine. A non-zero exit is a result. */
  cli(...parameters: string[]): Promise<CliResult>;
  /** Like `cli`, but a non-zero exit is an error that shows what the command said; returns stdout. */
  docker(...parameters: string[]): Promise<string>;
  /** A raw API request; any status is a result. */
  request(method: string, path: string, body?: unknown): Promise<EngineResponse>;
  /** SIGKILL for dockerd alone. */
  kill(): Promise<void>;
  /** SIGKILL for dockerd, containerd and every process in a container at once, like a power loss. */
  killEverything(): Promise<void>;
  /** Orderly end of dockerd (SIGTERM): it stops the containers. */
  terminate(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. Done when dockerd stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** Starts dockerd again after `kill`, `killEverything` or `terminate`. */
  start(): Promise<void>;
  /** Orderly end and start. */
  restart(): Promise<void>;
  /** Removes everything that the engine made: containers, networks, mounts, bridges, processes, files. */
  stop(): Promise<void>;
}

/** The ways of talking to an engine that a private and an existing one share. */
export function createEngineAccess(socketPath: string, configDirectory: string, apiVersion: string | undefined) {
  const url = `unix://${socketPath}`;
  mkdirSync(configDirectory, { recursive: true });
  const cli = (...parameters: string[]) => runCli({ url, configDirectory, apiVersion }, parameters);
  return {
    socketPath,
    url,
    cli,
    async docker(...parameters: string[]): Promise<string> {
      const result = await cli(...parameters);
      if (result.exitCode === 0) return result.stdout;
      throw new Error(
        `docker ${parameters.join(' ')} ended with ${result.exitCode}: ${result.stderr || result.stdout}`,
      );
    },
    request: (method: string, path: string, body?: unknown) => request(socketPath, method, path, body),
  };
}
