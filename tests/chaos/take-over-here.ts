import { createHosts } from '../../packages/server/src/hosts/index.ts';
import { systemClock } from '../../packages/server/src/platform/clock.ts';
import { createEngine, type EngineObserver } from '../../packages/server/src/platform/engine/create-engine.ts';
import type { Engine } from '../../packages/server/src/platform/engine/engine.ts';
import { createLog, silentLog } from '../../packages/server/src/platform/log/create-log.ts';
import { readVerdict } from '../../packages/server/src/runs/handover-files.ts';
import { takeOver } from '../../packages/server/src/runs/index.ts';

/** What a helper is to do: the run, and the two containers of it. */
export interface Task {
  readonly run: string;
  readonly old: string;
  readonly new: string;
}

const lookAgainMs = 100;

/** The helper of a self update, wired as the server does. Resolves once it has decided and what is to stand runs. */
export async function takeOverHere(
  endpoint: string,
  dataDir: string,
  task: Task,
  observe?: EngineObserver,
): Promise<void> {
  const log = process.env['EVENKEEL_TEST_LOG'] === undefined ? silentLog() : createLog({ level: 'debug' });
  const engine = createEngine({ endpoint, log, ...(observe === undefined ? {} : { observe }) });
  const clock = systemClock;
  const configured = [{ id: 'local', name: 'local', endpoint }];
  const hosts = createHosts({ configured, engineFor: () => engine, clock, log });
  const end = new AbortController();
  const done = takeOver({ hosts, clock, log, self: undefined, dataDir, run: task.run }, end.signal);
  try {
    while (!(await stands(engine, dataDir, task))) await clock.sleep(lookAgainMs);
  } finally {
    end.abort();
    await done;
    await hosts.close();
    await engine.close();
  }
}

async function stands(engine: Engine, dataDir: string, task: Task): Promise<boolean> {
  const verdict = readVerdict(dataDir, task.run);
  if (verdict === undefined) return false;
  const container = await engine.containers.inspect(verdict.holds ? task.new : task.old);
  return container?.State.Running === true;
}
