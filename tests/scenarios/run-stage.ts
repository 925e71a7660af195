import type { Run } from '@evenkeel/contract';
import {
  type EngineProxy,
  type Image,
  images,
  pushImage,
  sharedEngine,
  sharedRegistry,
  startEngineProxy,
  type TestEngine,
  type TestRegistry,
  uniqueName,
  waitFor,
} from '@evenkeel/testbed';
import { offer } from './offer.ts';
import { type RunBench, startRunBench } from './run-bench.ts';

/** The shared engine behind a proxy of this file, the shared registry, and a bench on them. */
export interface Stage {
  readonly docker: TestEngine;
  readonly proxy: EngineProxy;
  readonly registry: TestRegistry;
  readonly bench: RunBench;
  /** A running container from version 1 of a repository that has its name. */
  started(prefix: string, options?: readonly string[], image?: Image): Promise<string>;
  /** Pushes the image as the newer one of the container's repository. */
  offer(name: string, image: Image): Promise<void>;
  network(prefix: string): Promise<string>;
  /** `{{.Id}}` and its like of a container. */
  show(name: string, format: string): Promise<string>;
  /** Names of all containers whose name begins so, sorted, working names included. */
  names(prefix: string): Promise<string[]>;
  /** Waits until the run is in the phase. */
  phase(run: string, phase: Run['phase']): Promise<void>;
  stop(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const docker = await sharedEngine();
  const registry = await sharedRegistry();
  const proxy = await startEngineProxy(docker);
  const bench = await startRunBench({ endpoint: proxy.url });
  const made: string[] = [];
  const networks: string[] = [];
  const names = async (prefix: string) =>
    (await docker.docker('ps', '-a', '--filter', `name=${prefix}`, '--format', '{{.Names}}'))
      .split('\n')
      .filter((name) => name !== '')
      .sort();
  return {
    docker,
    proxy,
    registry,
    bench,
    names,
    async started(prefix, options = [], image) {
      const name = uniqueName(prefix);
      made.push(name);
      const { reference } = await pushImage(registry, name, '1', image ?? (await images.listens({ version: '1' })));
      await docker.docker('run', '-d', '--name', name, ...options, reference);
      return name;
    },
    offer: async (name, image) => void (await offer(bench, registry, name, name, image)),
    async network(prefix) {
      const name = uniqueName(prefix);
      networks.push(name);
      await docker.docker('network', 'create', name);
      return name;
    },
    show: (name, format) => docker.docker('inspect', '-f', format, name),
    phase: async (run, phase) =>
      void (await waitFor(() => bench.runs.find(run).phase === phase, {
        timeoutMs: 60_000,
        describe: `the run to come to ${phase}`,
      })),
    async stop() {
      proxy.clear();
      await bench.stop();
      // One command for all: the engine removes them side by side.
      const left =
        made.length === 0 ? '' : await docker.docker('ps', '-aq', ...made.map((name) => `--filter=name=${name}`));
      if (left !== '') await docker.cli('rm', '-fv', ...left.split('\n'));
      if (networks.length > 0) await docker.cli('network', 'rm', ...networks);
      await proxy.stop();
      await registry.stop();
      await docker.stop();
    },
  };
}
