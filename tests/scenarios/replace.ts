import type { Run, RunRequest } from '@evenkeel/contract';
import {
  type Image,
  images,
  pushImage,
  sharedEngine,
  sharedRegistry,
  type TestEngine,
  type TestRegistry,
  uniqueName,
} from '@evenkeel/testbed';
import type { Engine } from '../../packages/server/src/platform/engine/engine.ts';
import type { ContainerInspect } from '../../packages/server/src/platform/engine/engine-types.ts';
import { systemActor } from '../../packages/server/src/platform/http/actor.ts';
import { offer } from './offer.ts';
import { type RunBench, startRunBench } from './run-bench.ts';

type More = Omit<RunRequest, 'host' | 'container'>;

/** What a container became: its run, or the refusal; and both inspects. */
export interface Replaced {
  readonly run: Run | undefined;
  readonly refusal: { readonly code: string; readonly text: string; readonly remedy: string | null } | undefined;
  readonly before: ContainerInspect;
  readonly after: ContainerInspect;
}

/**
 * Containers made by the docker command line from version 1 of the fidelity pair, replaced by version 2 through the runs
 * of the product. One repository with one tag for all of them.
 */
export interface Replacing {
  readonly docker: TestEngine;
  readonly registry: TestRegistry;
  readonly bench: RunBench;
  readonly engine: Engine;
  /** Reference of version 1. */
  readonly image: string;
  /** The name that everything of this file begins with: also for volumes and networks. */
  name(part: string): string;
  /** `docker run -d --name … <options> image <command>`. Returns the name. */
  run(part: string, options?: readonly string[], command?: readonly string[]): Promise<string>;
  inspect(part: string): Promise<ContainerInspect>;
  /** `docker exec`, its standard output. */
  exec(part: string, ...command: string[]): Promise<string>;
  /** Moves the tag to the image (version 2) and updates the containers, several at once. */
  update(parts: readonly string[], options?: More & { image?: Image }): Promise<Map<string, Replaced>>;
  /** One of them. */
  updateOne(part: string, options?: More & { image?: Image }): Promise<Replaced>;
  stop(): Promise<void>;
}

export async function startReplacing(): Promise<Replacing> {
  const docker = await sharedEngine();
  const registry = await sharedRegistry();
  const bench = await startRunBench({ endpoint: docker.url });
  bench.settings.change({ parallelRuns: 6 });
  const prefix = uniqueName('fidelity');
  const name = (part: string) => `${prefix}-${part}`;
  const [one, two] = [await images.fidelity(1), await images.fidelity(2)];
  const { reference, digest } = await pushImage(registry, prefix, '1', one);
  await docker.docker('pull', '-q', reference);

  async function inspect(part: string): Promise<ContainerInspect> {
    const found = await bench.engine.containers.inspect(name(part));
    if (found === undefined) throw new Error(`There is no container ${name(part)}.`);
    return found;
  }

  async function update(parts: readonly string[], { image = two, ...more }: More & { image?: Image } = {}) {
    const before = new Map<string, ContainerInspect>();
    for (const part of parts) {
      before.set(part, await inspect(part));
      await bench.hosts.refresh('local', name(part));
      await offer(bench, registry, name(part), prefix, image);
    }
    const requests = parts.map((part) => ({ host: 'local', container: name(part), gate: { seconds: 1 }, ...more }));
    const { results } = await bench.runs.start(requests, systemActor);
    const replaced = new Map<string, Replaced>();
    for (const [index, part] of parts.entries()) {
      const result = results[index];
      const run = typeof result?.run === 'string' ? (await bench.finished(result.run)).run : undefined;
      const was = before.get(part);
      if (was === undefined) throw new Error(`${part} was not inspected.`);
      replaced.set(part, { run, refusal: result?.refusal ?? undefined, before: was, after: await inspect(part) });
    }
    return replaced;
  }

  return {
    docker,
    registry,
    bench,
    engine: bench.engine,
    image: reference,
    name,
    async run(part, options = [], command = []) {
      // Another file of containers may have moved the tag on: version 1 is what every container begins with.
      const pinned = `${registry.host}/${prefix}@${digest}`;
      await docker.docker('pull', '-q', pinned);
      await docker.docker('tag', pinned, reference);
      await docker.docker('run', '-d', '--name', name(part), ...options, reference, ...command);
      return name(part);
    },
    inspect,
    exec: (part, ...command) => docker.docker('exec', name(part), ...command),
    update,
    async updateOne(part, options) {
      const replaced = (await update([part], options)).get(part);
      if (replaced === undefined) throw new Error(`${part} was not updated.`);
      return replaced;
    },
    async stop() {
      await bench.stop();
      await removeAll(docker, prefix);
      await registry.stop();
      await docker.stop();
    },
  };
}

/** Everything on the engine whose name begins with the prefix. */
async function removeAll(docker: TestEngine, prefix: string): Promise<void> {
  const listed = async (...command: string[]) => {
    const output = await docker.docker(...command, '-q', '--filter', `name=${prefix}`);
    return output === '' ? [] : output.split('\n');
  };
  const containers = await listed('ps', '-a');
  if (containers.length > 0) await docker.cli('rm', '-fv', ...containers);
  const networks = await listed('network', 'ls');
  if (networks.length > 0) await docker.cli('network', 'rm', ...networks);
  const volumes = await listed('volume', 'ls');
  if (volumes.length > 0) await docker.cli('volume', 'rm', ...volumes);
}
