import { type Image, images, pushImage, uniqueName, waitFor } from '@evenkeel/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemActor } from '../../packages/server/src/platform/http/actor.ts';
import { candidateFor, offer } from './offer.ts';
import { startRunBench } from './run-bench.ts';
import { type Stage, startStage } from './run-stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const version = (number: number) => images.listens({ version: String(number) });

describe.concurrent('an update that holds', () => {
  test('replaces the container, measures the gap and leaves nothing behind', async () => {
    const name = await stage.started('plain', ['--restart', 'always', '-e', 'A=1']);
    await stage.offer(name, await version(2));
    const run = await stage.bench.update(name);
    expect(run).toMatchObject({ state: 'committed', phase: 'DONE', strategy: 'recreate', recovered: false });
    expect(run.gapMilliseconds).toBeGreaterThan(0);
    expect(run.steps.every(({ state }) => state === 'done')).toBe(true);
    expect(run.newContainer).toBe(await stage.show(name, '{{.Id}}'));
    expect(await stage.names(name)).toEqual([name]);
    expect(await stage.show(name, '{{.State.Running}} {{.HostConfig.RestartPolicy.Name}}')).toBe('true always');
    expect(await stage.docker.docker('exec', name, 'cat', '/www/index.html')).toBe('version 2');
  });

  test('keeps the last lines of the old container, also of one that goes with its stop', async () => {
    const lines = (version: string) => images.logsLines({ lines: 150, version });
    for (const options of [[], ['--rm']]) {
      const name = await stage.started('lines', options, await lines('1'));
      await waitFor(async () => (await stage.docker.docker('logs', name)).includes('line 149 '), {
        describe: 'its lines',
      });
      const before = (await stage.docker.docker('logs', name)).split('\n').slice(-20);
      await stage.offer(name, await lines('2'));
      const kept = (await stage.bench.update(name)).oldLog?.split('\n') ?? [];
      expect(kept.length).toBe(100);
      expect(kept).toEqual(expect.arrayContaining(before));
    }
    const stored = stage.bench.store.raw.prepare('SELECT document, old_log FROM runs').all();
    expect(JSON.stringify(stored)).not.toMatch(/line 1[0-9][0-9]/);
  });

  test('a stopped container is replaced and not started', async () => {
    const name = await stage.started('stopped');
    await stage.docker.docker('stop', name);
    await stage.offer(name, await version(2));
    const run = await stage.bench.update(name);
    expect(run.state).toBe('committed');
    expect(await stage.show(name, '{{.State.Status}} {{.Id}}')).toBe(`created ${run.newContainer}`);
  });

  test('an image that turns out to be the running one replaces nothing and is remembered', async () => {
    const name = await stage.started('equal');
    const before = await stage.show(name, '{{.Id}}');
    const same = await images.listens({ version: '1', oci: true });
    await stage.offer(name, same);
    const { run, operation } = await stage.bench.finished(await stage.bench.begin(name));
    expect(run.state).toBe('committed');
    expect(operation.summary).toMatch(/runs already: nothing had to be replaced/);
    expect(await stage.show(name, '{{.Id}}')).toBe(before);
    expect(stage.bench.offers.rememberedEqual).toContainEqual({ digest: same.digest, imageId: same.imageId });
  });

  test('waits for the probe that the labels ask for', async () => {
    const labels = ['--label', 'evenkeel.gate.http=80/', '--label', 'evenkeel.gate.tcp=80'];
    const name = await stage.started('probe', labels);
    await stage.offer(name, await version(2));
    expect((await stage.bench.update(name)).state).toBe('committed');
    await stage.offer(name, await images.sleeper());
    const run = await stage.bench.update(name, { gate: { seconds: 1, timeoutSeconds: 2 } });
    expect(run).toMatchObject({ state: 'rolled-back' });
    expect(run.reason).toMatch(/did not answer within 2 s: TCP port 80: nobody listens/);
  });

  test('from a container on another network it probes the published port, and refuses what it cannot reach', async () => {
    const home = await stage.started('home', ['--network', await stage.network('home-net')], await images.sleeper());
    const self = await stage.show(home, '{{.Id}}');
    const bench = await startRunBench({ endpoint: stage.docker.url, self });
    try {
      const [open, closed] = [await stage.started('open', ['-p', '80']), await stage.started('closed')];
      for (const name of [open, closed]) await offer(bench, stage.registry, name, name, await version(2));
      const gate = { seconds: 1, http: { port: 80, path: '/' } };
      const refused = await bench.runs.plan({ host: 'local', container: closed, gate });
      expect(refused.refusals.map(({ code }) => code)).toEqual(['probe-unreachable']);
      expect((await bench.update(open, { gate })).state).toBe('committed');
    } finally {
      await bench.stop();
    }
  });
});

describe.concurrent('F37: a new image that does not hold', () => {
  const bad: [string, () => Promise<Image>, RegExp][] = [
    ['exits at once', () => images.exitsAtOnce({ code: 3 }), /ended (with code 3|and was restarted)/],
    ['turns unhealthy', () => images.neverHealthy(), /is unhealthy.*the database does not answer/],
    ['lacks its entrypoint', () => images.lacksEntrypoint(), /could not be started.*no such file/],
  ];
  test.each(bad)(
    '%s: the old container is back as it was, and the image is in quarantine',
    async (_, image, reason) => {
      const name = await stage.started('bad', ['--restart', 'unless-stopped', '-v', '/data']);
      const format =
        '{{.Id}} {{.Name}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}} {{(index .Mounts 0).Name}}';
      const before = await stage.show(name, format);
      const named = await stage.show(name, '{{.Image}}');
      await stage.offer(name, await image());
      const { run, operation } = await stage.bench.finished(await stage.bench.begin(name));
      expect(run).toMatchObject({ state: 'rolled-back', phase: 'ROLLED_BACK', rollbackAvailable: false });
      expect(run.reason).toMatch(reason);
      expect(operation).toMatchObject({ state: 'failed', error: { detail: run.reason } });
      expect(await stage.show(name, format)).toBe(before);
      expect(await stage.names(name)).toEqual([name]);
      expect(stage.bench.offers.quarantined.map((entry) => entry.name)).toContain(name);
      // The tag names the old image again, so that nobody creates the bad one by it.
      const tag = `${stage.registry.host}/${name}:1`;
      expect(await stage.docker.docker('image', 'inspect', '-f', '{{.Id}}', tag)).toBe(named);
    },
  );

  test('its last words are kept', async () => {
    const name = await stage.started('words');
    await stage.offer(name, await images.logsLines({ entrypoint: ['/bin/sh', '-c', 'echo no licence found; exit 1'] }));
    expect((await stage.bench.update(name)).failedLog).toBe('no licence found');
    const stored = stage.bench.store.raw.prepare('SELECT failed_log FROM runs').pluck().all();
    expect(JSON.stringify(stored)).not.toContain('licence');
  });
});

describe.concurrent('going back by hand', () => {
  test('brings the version before a run back, and the run before that too', async () => {
    const name = await stage.started('manual', ['-e', 'KEPT=yes']);
    const first = await stage.show(name, '{{.Image}}');
    await stage.offer(name, await version(2));
    const toTwo = await stage.bench.update(name);
    await stage.offer(name, await version(3));
    await stage.bench.update(name);
    const plan = await stage.bench.runs.planRollback(toTwo.id);
    expect(plan).toMatchObject({ kind: 'rollback', refusals: [], to: { imageId: first } });
    const { id } = await stage.bench.runs.rollBack(toTwo.id, { gate: { seconds: 1 } }, systemActor);
    const { run } = await stage.bench.finished(id);
    expect(run).toMatchObject({ kind: 'rollback', state: 'committed' });
    expect(await stage.show(name, '{{.Image}} {{.State.Running}}')).toBe(`${first} true`);
    expect(await stage.docker.docker('exec', name, 'cat', '/www/index.html')).toBe('version 1');
    expect(await stage.docker.docker('exec', name, 'sh', '-c', 'echo $KEPT')).toBe('yes');
    expect(stage.bench.offers.quarantined.some((entry) => entry.name === name)).toBe(true);
  });

  test('only as many images are kept as the setting says', async () => {
    // Images of its own: nobody else's container or name may hold one of them.
    const own = (number: number) => images.listens({ version: String(number), labels: { kept: uniqueName('kept') } });
    const name = await stage.started('kept', [], await own(1));
    const [runs, replaced]: [string[], string[]] = [[], []];
    for (const number of [2, 3, 4]) {
      replaced.push(await stage.show(name, '{{.Image}}'));
      await stage.offer(name, await own(number));
      runs.push((await stage.bench.update(name)).id);
    }
    const kept = await stage.docker.docker('images', '--format', '{{.Tag}}', `evenkeel-rollback/${name}`);
    expect(kept.split('\n').sort()).toEqual(runs.slice(1).sort());
    // The one that is not kept gives its room back: its digest, which the pull left, is no reason to keep it.
    const present = await Promise.all(replaced.map((id) => stage.docker.cli('image', 'inspect', id)));
    expect(present.map(({ exitCode }) => exitCode)).toEqual([1, 0, 0]);
    expect(stage.bench.runs.find(runs[0] ?? '').rollbackAvailable).toBe(false);
    const undo = stage.bench.runs.rollBack(runs[0] ?? '', {}, systemActor);
    await expect(undo).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe.concurrent('F40: start-first', () => {
  test('answers every request of a client that asks for the alias all the time', async () => {
    const network = await stage.network('first-net');
    const options = ['--network', network, '--network-alias', 'web', '--label', 'evenkeel.strategy=start-first'];
    const name = await stage.started('first', options);
    const client = await stage.started('first-client', ['--network', network], await images.sleeper());
    await stage.offer(name, await version(2));
    // Each line is one request by the name. As HTTP clients do, it goes on to the next address of the name where one does not answer:
    // the new one has the name before it listens, and the old one still has it when it is taken off its network.
    // A static busybox resolves names with nslookup only, and its wget does not bear -T.
    const addresses = "nslookup web | sed -n 's/^Address: //p'";
    const one = `for address in $(${addresses}); do timeout 2 wget -q -O - http://$address/ && exit; done; echo failed`;
    const asking = `while ! test -e /tmp/stop; do (${one}); usleep 50000; done`;
    await stage.docker.docker('exec', '-d', client, 'sh', '-c', `${asking} > /tmp/answers 2>/dev/null`);
    const answers = () => stage.docker.docker('exec', client, 'cat', '/tmp/answers');
    await waitFor(async () => (await answers()).includes('version 1'), { describe: 'the client to get an answer' });
    const run = await stage.bench.update(name);
    expect(run).toMatchObject({ state: 'committed', strategy: 'start-first', gapMilliseconds: 0 });
    await waitFor(async () => (await answers()).trimEnd().endsWith('version 2'), { describe: 'the new version' });
    await stage.docker.docker('exec', client, 'touch', '/tmp/stop');
    expect(new Set((await answers()).trimEnd().split('\n'))).toEqual(new Set(['version 1', 'version 2']));
    expect(await stage.names(name)).toEqual([name]);
  });

  test('falls back to stop-first with a fixed host port, and says why', async () => {
    const name = await stage.started('fallback', ['-p', '127.78.0.1:8080:80']);
    await stage.offer(name, await version(2));
    const request = { host: 'local', container: name, strategy: 'start-first' as const };
    const plan = await stage.bench.runs.plan(request);
    expect(plan.strategy).toBe('recreate');
    expect(plan.strategyReason).toMatch(/Host port 127\.78\.0\.1:8080|8080/);
  });
});

describe.concurrent('containers that depend on each other', () => {
  const service = (project: string, own: string, dependsOn = '') => [
    ...['--label', `com.docker.compose.project=${project}`, '--label', `com.docker.compose.service=${own}`],
    ...['--label', 'com.docker.compose.oneoff=False', '--label', 'com.docker.compose.container-number=1'],
    ...['--label', `com.docker.compose.depends_on=${dependsOn}`],
  ];

  test('F42: stop in reverse order and start in order, each when the one before holds', {
    timeout: 300_000,
  }, async () => {
    const project = `p${Date.now()}`;
    const a = await stage.started('chain-a', service(project, 'a'), await images.healthy({ version: '1' }));
    const b = await stage.started('chain-b', service(project, 'b', 'a:service_healthy:false'));
    const c = await stage.started('chain-c', service(project, 'c', 'b:service_started:false'));
    await stage.offer(a, await images.healthy({ version: '2' }));
    // What the engine did, in the words of its events, in order; it remembers few, so this begins before.
    const end = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      const since = (Date.now() / 1000).toFixed(3);
      for await (const { Action, Actor } of stage.bench.engine.events({ since, signal: end.signal })) {
        const { Attributes } = Actor;
        if (Attributes['com.docker.compose.project'] !== project) continue;
        if (/^(die|start|health_status)/.test(Action))
          seen.push(`${Action} ${Attributes['com.docker.compose.service']}`);
      }
    })().catch((error) => {
      if (!end.signal.aborted) throw error;
    });
    const run = await stage.bench.update(a);
    expect(run.state).toBe('committed');
    await waitFor(() => seen.includes('start c'), { describe: 'the events of the engine' });
    end.abort();
    await following;
    const start = seen.indexOf('start a');
    const before = seen.slice(0, start).filter((event) => event.startsWith('die'));
    expect(before).toEqual(['die c', 'die b', 'die a']);
    const started = seen.slice(start).filter((event) => !/^health_status.*[bc]$/.test(event));
    expect([...new Set(started)]).toEqual(['start a', 'health_status: healthy a', 'start b', 'start c']);
    for (const name of [a, b, c]) expect(await stage.show(name, '{{.State.Running}}')).toBe('true');
    // Between b and c lies the time for which b has to run.
    const at = async (name: string) => Date.parse(await stage.show(name, '{{.State.StartedAt}}'));
    expect((await at(c)) - (await at(b))).toBeGreaterThanOrEqual(1000);
  });

  test('F42: one that does not come back takes the whole group back', async () => {
    const project = `q${Date.now()}`;
    const once = 'test -e /tmp/again && exit 1; touch /tmp/again; exec sleeper';
    const fragile = await images.sleeper({ entrypoint: ['/bin/sh', '-c', once], version: 'fragile' });
    const a = await stage.started('back-a', service(project, 'a'));
    const b = await stage.started('back-b', service(project, 'b', 'a:service_started:false'), fragile);
    const before = await stage.show(a, '{{.Id}}');
    await stage.offer(a, await version(2));
    const run = await stage.bench.update(a);
    expect(run.state).toBe('rolled-back');
    expect(run.reason).toContain(`${b} was started again, but ended by itself.`);
    expect(await stage.show(a, '{{.Id}} {{.State.Running}}')).toBe(`${before} true`);
    expect(await stage.names(a)).toEqual([a]);
  });

  test('one whose end others wait for may end, and they start after that', async () => {
    const project = `r${Date.now()}`;
    const once = 'test -e /tmp/again && exit 0; touch /tmp/again; exec sleeper';
    const job = await images.sleeper({ entrypoint: ['/bin/sh', '-c', once] });
    const a = await stage.started('job-a', service(project, 'a'));
    const b = await stage.started('job-b', service(project, 'b', 'a:service_started:false'), job);
    const c = await stage.started('job-c', service(project, 'c', 'b:service_completed_successfully:false'));
    await stage.offer(a, await version(2));
    expect(await stage.bench.update(a)).toMatchObject({ state: 'committed', reason: null });
    expect(await stage.show(b, '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 0');
    const ended = Date.parse(await stage.show(b, '{{.State.FinishedAt}}'));
    expect(Date.parse(await stage.show(c, '{{.State.StartedAt}}'))).toBeGreaterThanOrEqual(ended);
  });

  test('one that shares a network namespace follows the owner, and back again when that fails', {
    timeout: 300_000,
  }, async () => {
    const owner = await stage.started('owner');
    const side = await stage.started('side', ['--network', `container:${owner}`], await images.sleeper());
    const ask = () => stage.docker.docker('exec', side, 'wget', '-q', '-O', '-', 'http://127.0.0.1/');
    await stage.offer(owner, await version(2));
    expect((await stage.bench.update(owner)).state).toBe('committed');
    expect(await ask()).toBe('version 2');
    await stage.offer(owner, await images.lacksEntrypoint());
    expect((await stage.bench.update(owner)).state).toBe('rolled-back');
    expect(await ask()).toBe('version 2');
    expect(await stage.names(side)).toEqual([side]);
  });

  test('several asked at once all get their run, the one that others depend on first', async () => {
    const owner = await stage.started('many-owner');
    const side = await stage.started('many-side', ['--network', `container:${owner}`], await images.sleeper());
    const other = await stage.started('many-other');
    for (const name of [owner, other]) await stage.offer(name, await version(2));
    await stage.offer(side, await images.sleeper({ version: '2' }));
    for (const name of [owner, side, other]) await stage.bench.hosts.refresh('local', name);
    const asked = [side, other, owner].map((container) => ({ host: 'local', container, gate: { seconds: 1 } }));
    const { results } = await stage.bench.runs.start(asked, systemActor);
    const runs = await Promise.all(results.map(async ({ run }) => (await stage.bench.finished(run ?? '')).run));
    expect(runs.map(({ state }) => state)).toEqual(['committed', 'committed', 'committed']);
    const [sideRun, , ownerRun] = runs;
    expect(Date.parse(sideRun?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(ownerRun?.finishedAt ?? ''));
    expect(await stage.show(side, '{{.HostConfig.NetworkMode}}')).toBe(
      `container:${await stage.show(owner, '{{.Id}}')}`,
    );
  });
});

describe.concurrent('what stands against an update', () => {
  test('a paused container is refused and untouched', async () => {
    const name = await stage.started('paused');
    await stage.docker.docker('pause', name);
    await stage.offer(name, await version(2));
    const plan = await stage.bench.runs.plan({ host: 'local', container: name });
    expect(plan.refusals.map(({ code }) => code)).toContain('paused');
    expect(plan.steps).toEqual([]);
    await expect(stage.bench.begin(name)).rejects.toThrow(/paused/);
    expect(await stage.show(name, '{{.State.Paused}}')).toBe('true');
    await stage.docker.docker('unpause', name);
  });

  test('a second run on the same container is refused while the first is at work', async () => {
    const name = await stage.started('twice');
    await stage.offer(name, await version(2));
    const first = await stage.bench.begin(name);
    await expect(stage.bench.begin(name)).rejects.toThrow(/busy/);
    expect((await stage.bench.finished(first)).run.state).toBe('committed');
    await stage.offer(name, await version(3));
    expect((await stage.bench.update(name)).state, 'the refused one holds nothing').toBe('committed');
  });

  test('an image that the engine gets otherwise than it was checked is not taken', async () => {
    const name = await stage.started('other');
    const before = await stage.show(name, '{{.Id}}');
    const pushed = await pushImage(stage.registry, name, '1', await version(2));
    const chosen = candidateFor(stage.registry, name, '1', pushed);
    const wrong = `sha256:${'0'.repeat(64)}`;
    const candidate = { ...chosen.candidate, imageId: wrong, platformDigest: null, digest: wrong };
    stage.bench.offers.set(name, { ...chosen, candidate });
    const run = await stage.bench.update(name);
    expect(run.state).toBe('failed');
    expect(run.reason).toMatch(/not the one that was checked/);
    expect(await stage.show(name, '{{.Id}} {{.State.Running}}')).toBe(`${before} true`);
  });
});
