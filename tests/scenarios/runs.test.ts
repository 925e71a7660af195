import {
  images,
  pushImage,
  sharedEngine,
  sharedRegistry,
  type TestEngine,
  type TestRegistry,
  uniqueName,
} from '@evenkeel/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { offer } from './offer.ts';
import { type RunBench, startRunBench } from './run-bench.ts';

let docker: TestEngine;
let registry: TestRegistry;
let bench: RunBench;

beforeAll(async () => {
  docker = await sharedEngine();
  registry = await sharedRegistry();
  bench = await startRunBench({ endpoint: docker.url });
});
afterAll(async () => {
  await bench.stop();
  const left = await docker.docker('ps', '-aq', '--filter', 'name=runs-');
  if (left !== '') await docker.cli('rm', '-fv', ...left.split('\n'));
  await registry.stop();
  await docker.stop();
});

/** A container from version 1 of a repository of its own. */
async function started(
  prefix: string,
  ...options: string[]
): Promise<{ name: string; repository: string; reference: string }> {
  const name = uniqueName(`runs-${prefix}`);
  const { reference } = await pushImage(registry, name, '1', await images.listens({ version: '1' }));
  await docker.docker('run', '-d', '--name', name, ...options, reference);
  return { name, repository: name, reference };
}

test('an update replaces the container and keeps what was set', async () => {
  const { name, repository } = await started('plain', '--restart', 'always', '-e', 'A=1');
  await offer(bench, registry, name, repository, await images.listens({ version: '2' }));
  const run = await bench.update(name);
  expect(run).toMatchObject({ state: 'committed', phase: 'DONE', reason: null });
  console.log(run.steps.map((s) => `${s.state} ${s.phase} ${s.text}`).join('\n'), run.gapMilliseconds);
  const names = await docker.docker('ps', '-a', '--filter', `name=${name}`, '--format', '{{.Names}} {{.State}}');
  expect(names).toBe(`${name} running`);
});

test('F37: a new image that exits at once is rolled back, and its last words are kept', async () => {
  const { name, repository } = await started('exits', '--restart', 'always');
  const before = await docker.docker('inspect', '-f', '{{.Id}}', name);
  await offer(bench, registry, name, repository, await images.exitsAtOnce());
  const run = await bench.update(name);
  console.log(run.steps.map((s) => `${s.state} ${s.phase} ${s.text} ${s.error}`).join('\n'), run.reason, run.state);
  expect(run.state).toBe('rolled-back');
  expect(
    await docker.docker('inspect', '-f', '{{.Id}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}}', name),
  ).toBe(`${before} true always`);
});

test('start-first', async () => {
  const net = uniqueName('runs-net');
  await docker.docker('network', 'create', net);
  const { name, repository } = await started(
    'first',
    '--network',
    net,
    '--label',
    'evenkeel.strategy=start-first',
    '--restart',
    'always',
  );
  await offer(bench, registry, name, repository, await images.listens({ version: '2' }));
  const run = await bench.update(name);
  console.log(run.steps.map((s) => `${s.state} ${s.phase} ${s.text}`).join('\n'), run.reason, run.warnings);
  expect(run).toMatchObject({ state: 'committed', strategy: 'start-first' });
});
test('rm', async () => {
  const { name, repository } = await started('rm', '--rm', '-v', '/anon');
  await offer(bench, registry, name, repository, await images.listens({ version: '2' }));
  const run = await bench.update(name);
  console.log(run.steps.map((s) => `${s.state} ${s.phase} ${s.text}`).join('\n'), run.reason, run.warnings);
  expect(run).toMatchObject({ state: 'committed' });
  await offer(bench, registry, name, repository, await images.exitsAtOnce());
  const bad = await bench.update(name);
  console.log(bad.steps.map((s) => `${s.state} ${s.phase} ${s.text}`).join('\n'), bad.reason, bad.warnings);
  expect(bad).toMatchObject({ state: 'rolled-back' });
  expect(await docker.docker('ps', '-a', '--filter', `name=${name}`, '--format', '{{.Names}} {{.State}}')).toBe(
    `${name} running`,
  );
});
test('group', async () => {
  const { name, repository } = await started('owner', '-p', '0:80');
  const b = uniqueName('runs-dep');
  const { reference } = await pushImage(registry, b, '1', await images.sleeper());
  await docker.docker('run', '-d', '--name', b, '--network', `container:${name}`, reference);
  await offer(bench, registry, name, repository, await images.listens({ version: '2' }));
  const run = await bench.update(name);
  console.log(run.steps.map((s) => `${s.state} ${s.phase} ${s.text}`).join('\n'), run.reason, run.warnings);
  expect(run).toMatchObject({ state: 'committed' });
  await offer(bench, registry, name, repository, await images.lacksEntrypoint());
  const bad = await bench.update(name);
  console.log(bad.steps.map((s) => `${s.state} ${s.phase} ${s.text}`).join('\n'), bad.reason, bad.warnings);
  expect(bad).toMatchObject({ state: 'rolled-back' });
  expect(await docker.docker('exec', b, 'wget', '-q', '-O', '-', 'http://127.0.0.1/')).toBe(`version 2`);
});
