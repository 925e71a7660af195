import { spawn } from 'node:child_process';
import { requireProgram } from './programs.ts';

/** What the docker command line printed and returned. */
export interface CliResult {
  /** Without trailing line ends. */
  stdout: string;
  stderr: string;
  exitCode: number;
}

export interface CliOptions {
  url: string;
  /** DOCKER_CONFIG, so that the user's own log-ins and contexts play no part. */
  configDirectory: string;
  apiVersion?: string | undefined;
}

/** Runs `docker -H url …` and returns what it said; a non-zero exit is a result, not an error. */
export function runCli(
  options: CliOptions,
  parameters: readonly string[],
  input?: string | Buffer,
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(requireProgram('docker'), ['-H', options.url, ...parameters], {
      env: {
        ...process.env,
        DOCKER_CONFIG: options.configDirectory,
        DOCKER_HOST: undefined,
        DOCKER_CONTEXT: undefined,
        DOCKER_API_VERSION: options.apiVersion,
      },
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({
        stdout: Buffer.concat(stdout).toString('utf8').trimEnd(),
        stderr: Buffer.concat(stderr).toString('utf8').trimEnd(),
        exitCode: code ?? 128,
      }),
    );
  });
}
