import { images, waitFor } from '@evenkeel/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, startStage } from './run-stage.ts';

/** Somebody works on the same containers by the command line: the run stops, and leaves alone what is not its own. */
let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

/** A container with a newer image, and what a person does as soon as the engine has answered a call of the run. */
async function meddled(prefix: string, after: (name: string) => RegExp, act: (name: string) => Promise<unknown>) {
  const name = await stage.started(prefix, ['--restart', 'always']);
  const before = await stage.show(name, '{{.Id}}');
  await stage.offer(name, await images.listens({ version: '2' }));
  stage.proxy.intercept(after(name), { after: async () => void (await act(name)) }, { times: 1 });
  return { name, before, run: await stage.bench.update(name) };
}

const created = (name: string) => new RegExp(`POST /containers/create\\?name=${name}\\.next`);
const renamed = (name: string) => new RegExp(`POST /containers/\\w+/rename\\?name=${name}$`);
const parked = (name: string) => new RegExp(`POST /containers/\\w+/rename\\?name=${name}\\.prev`);

describe.concurrent('while the replacement is prepared', () => {
  test('a container that somebody removes stays removed', async () => {
    const { name, run } = await meddled('rm', created, (one) => stage.docker.docker('rm', '-f', one));
    expect(run.state).toBe('failed');
    expect(run.reason).toMatch(/removed/);
    expect(await stage.names(name)).toEqual([]);
  });

  test('a container that somebody renames keeps that name, its policy, and runs', async () => {
    const { name, before, run } = await meddled('mv', created, (one) =>
      stage.docker.docker('rename', one, `${one}-mine`),
    );
    expect(['failed', 'rolled-back']).toContain(run.state);
    expect(run.reason).toMatch(/renamed to .*-mine by somebody else/);
    expect(await stage.names(name)).toEqual([`${name}-mine`]);
    const format = '{{.Id}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}}';
    expect(await stage.show(`${name}-mine`, format)).toBe(`${before} true always`);
  });

  test('a container that somebody creates anew is not touched', async () => {
    const { name, run } = await meddled('again', created, async (one) => {
      const image = await stage.show(one, '{{.Config.Image}}');
      await stage.docker.docker('rm', '-f', one);
      await stage.docker.docker('run', '-d', '--name', one, '--label', 'mine=yes', image);
    });
    expect(run.state).toBe('failed');
    expect(await stage.names(name)).toEqual([name]);
    expect(await stage.show(name, '{{.State.Running}} {{.Config.Labels.mine}}')).toBe('true yes');
  });

  test('a container that somebody stops stays stopped', async () => {
    const { name, before, run } = await meddled('halt', created, (one) => stage.docker.docker('stop', one));
    expect(run.reason).toMatch(/was stopped by somebody else/);
    expect(await stage.names(name)).toEqual([name]);
    const format = '{{.Id}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}}';
    expect(await stage.show(name, format)).toBe(`${before} false always`);
  });

  test('what somebody sets with docker update is not undone', async () => {
    const { name, before, run } = await meddled('tune', created, (one) =>
      stage.docker.docker('update', '--restart', 'on-failure:2', one),
    );
    expect(run.reason).toMatch(/policy .* was changed to on-failure/);
    expect(await stage.show(name, '{{.Id}} {{.HostConfig.RestartPolicy.Name}}')).toBe(`${before} on-failure`);
    expect(await stage.names(name)).toEqual([name]);
  });
});

describe.concurrent('during the swap', () => {
  test('a name that somebody takes is waited for, and the taker is left alone', async () => {
    const name = await stage.started('thief', ['--restart', 'always']);
    const before = await stage.show(name, '{{.Id}}');
    const image = await stage.show(name, '{{.Config.Image}}');
    await stage.offer(name, await images.listens({ version: '2' }));
    const take = () => stage.docker.docker('create', '--name', name, '--label', 'mine=yes', image);
    stage.proxy.intercept(parked(name), { after: async () => void (await take()) }, { times: 1 });
    const run = await stage.bench.begin(name);
    const seen = () => stage.bench.runs.find(run);
    await waitFor(() => seen().reason?.includes('Going back is not finished'), {
      timeoutMs: 60_000,
      describe: 'the run to say that it cannot go back',
    });
    expect(seen()).toMatchObject({ state: 'rolling-back', finishedAt: null });
    expect(await stage.show(name, '{{.Config.Labels.mine}}')).toBe('yes');
    await stage.docker.docker('rm', name);
    const { run: ended } = await stage.bench.finished(run);
    expect(ended.state).toBe('rolled-back');
    expect(await stage.show(name, '{{.Id}} {{.State.Running}}')).toBe(`${before} true`);
    expect(await stage.names(name)).toEqual([name]);
  });

  test('a parked container that somebody removes is created again when the new one fails', async () => {
    const name = await stage.started('pruned', ['--restart', 'always', '-e', 'KEPT=yes', '-v', '/data']);
    const volume = await stage.show(name, '{{(index .Mounts 0).Name}}');
    const image = await stage.show(name, '{{.Image}}');
    await stage.offer(name, await images.exitsAtOnce());
    const prune = async () => stage.docker.docker('rm', (await stage.names(`${name}.prev`))[0] ?? '');
    stage.proxy.intercept(renamed(name), { after: async () => void (await prune()) }, { times: 1 });
    const run = await stage.bench.update(name);
    expect(run.state).toBe('rolled-back');
    const format = '{{.Image}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}} {{(index .Mounts 0).Name}}';
    expect(await stage.show(name, format)).toBe(`${image} true always ${volume}`);
    expect(await stage.docker.docker('exec', name, 'sh', '-c', 'echo $KEPT')).toBe('yes');
    expect(await stage.names(name)).toEqual([name]);
  });

  test('a new container that somebody removes while it is checked brings the old one back', async () => {
    const name = await stage.started('gone');
    const before = await stage.show(name, '{{.Id}}');
    await stage.offer(name, await images.listens({ version: '2' }));
    const run = await stage.bench.begin(name, { gate: { seconds: 60 } });
    await stage.phase(run, 'VERIFYING');
    await stage.docker.docker('rm', '-f', name);
    const { run: ended } = await stage.bench.finished(run);
    expect(ended).toMatchObject({ state: 'rolled-back' });
    expect(await stage.show(name, '{{.Id}} {{.State.Running}}')).toBe(`${before} true`);
  });
});
