import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { RegistryCredential } from '../platform/registry/registry-trust.ts';

/**
 * The programs that keep credentials for docker (`docker-credential-<name> get`, docker-credential-helpers protocol). They are
 * programs of this machine that its owner named in the docker configuration file; what they say is remembered for minutes.
 */
export interface CredentialHelpers {
  /** Undefined where the helper has none for this server, or cannot be asked; `problem` then says why. Never throws. */
  get(name: string, server: string): Promise<RegistryCredential | undefined>;
  /** What was wrong the last time, as a sentence without anything that the helper said. */
  problem(name: string, server: string): string | undefined;
}

export interface CredentialHelperOptions {
  readonly now: () => number;
  /** Folders to look in, separated by colons; the PATH of the server when left out. */
  readonly searchPath?: string | undefined;
  /** Default 5 seconds. */
  readonly limitMilliseconds?: number;
}

type Outcome =
  | { readonly kind: 'credential'; readonly credential: RegistryCredential }
  | { readonly kind: 'none' }
  | { readonly kind: 'problem'; readonly text: string };

const Answer = z.object({ Username: z.string().min(1), Secret: z.string().min(1) });
const minute = 60_000;
const keptFor: Readonly<Record<Outcome['kind'], number>> = {
  credential: 5 * minute,
  none: 10 * minute,
  problem: minute,
};
const mostBytes = 64 * 1024;
const mostKept = 500;

export function createCredentialHelpers(options: CredentialHelperOptions): CredentialHelpers {
  const { now, searchPath, limitMilliseconds = 5000 } = options;
  const kept = new Map<string, { until: number; outcome: Outcome }>();
  const running = new Map<string, Promise<Outcome>>();
  const keyOf = (name: string, server: string) => `${name} ${server}`;

  async function ask(name: string, server: string): Promise<Outcome> {
    if (!/^[a-z0-9-]+$/.test(name))
      return problem('has a name that is not used: lower-case letters, digits and - only');
    const program = `docker-credential-${name}`;
    const file = searchPath === undefined ? program : findProgram(searchPath, program);
    if (file === undefined) return problem('is not installed where Evenkeel runs');
    return run(file, server, limitMilliseconds);
  }

  function keep(key: string, outcome: Outcome): Outcome {
    kept.delete(key);
    kept.set(key, { until: now() + keptFor[outcome.kind], outcome });
    const [oldest] = kept.keys();
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
    return outcome;
  }

  return {
    async get(name, server) {
      const key = keyOf(name, server);
      const known = kept.get(key);
      let outcome = known && known.until > now() ? known.outcome : undefined;
      if (outcome === undefined) {
        const work =
          running.get(key) ??
          ask(name, server)
            .then((one) => keep(key, one))
            .finally(() => running.delete(key));
        running.set(key, work);
        outcome = await work;
      }
      return outcome.kind === 'credential' ? outcome.credential : undefined;
    },
    problem(name, server) {
      const outcome = kept.get(keyOf(name, server))?.outcome;
      return outcome?.kind === 'problem' ? outcome.text : undefined;
    },
  };
}

function problem(text: string): Outcome {
  return { kind: 'problem', text };
}

function findProgram(searchPath: string, program: string): string | undefined {
  const files = searchPath.split(':').flatMap((folder) => (folder === '' ? [] : [join(folder, program)]));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** No shell and no value on the command line; the server goes to its standard input. */
function run(file: string, server: string, limitMilliseconds: number): Promise<Outcome> {
  return new Promise((resolve) => {
    // A process group of its own, so that what the helper has started ends with it.
    const child = spawn(file, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (outcome: Outcome) => {
      clearTimeout(timer);
      child.stdout.destroy();
      resolve(outcome);
    };
    const stop = (text: string) => {
      endGroup(child.pid);
      finish(problem(text));
    };
    const timer = setTimeout(
      () => stop(`did not answer within ${limitMilliseconds / 1000} seconds`),
      limitMilliseconds,
    );
    child.on('error', (error: NodeJS.ErrnoException) => {
      finish(
        problem(error.code === 'ENOENT' ? 'is not installed where Evenkeel runs' : `cannot be run (${error.code})`),
      );
    });
    // One that does not read is judged by what it says.
    child.stdin.on('error', () => {});
    child.stdin.end(`${server}\n`);
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > mostBytes) stop(`said more than ${mostBytes} bytes`);
      else chunks.push(chunk);
    });
    child.on('close', (code) => finish(judge(code, Buffer.concat(chunks).toString('utf8'))));
  });
}

function judge(code: number | null, output: string): Outcome {
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return { kind: 'none' };
    return problem(code === null ? 'was ended from outside' : `ended with code ${code}`);
  }
  try {
    const { Username: username, Secret: password } = Answer.parse(JSON.parse(output));
    if (username === '<token>') return problem('keeps an identity token, which Evenkeel does not use');
    return { kind: 'credential', credential: { username, password } };
  } catch {
    return problem('gave no credentials in the form that docker knows');
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}
