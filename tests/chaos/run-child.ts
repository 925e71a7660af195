import type { ChosenCandidate } from '../../packages/server/src/updates/updates.ts';
import { startRunBench } from '../scenarios/run-bench.ts';
import { type Task, takeOverHere } from './take-over-here.ts';

/** What the kill matrix gives to the process that it kills. */
export interface ChildOrder {
  readonly endpoint: string;
  readonly folder: string;
  /** What to update; absent: only finish what was left unfinished. */
  readonly update?: { readonly name: string; readonly chosen: ChosenCandidate };
  /** Id of the container in which it is to believe that it runs: the folder is its own data then. */
  readonly self?: string;
  /** Be the helper of a self update instead, until it has decided. */
  readonly takeOver?: Task;
  /** End by SIGKILL at this point, counted from 1; 0: never. */
  readonly killAt: number;
}

/** What it says when it was not killed. */
export interface ChildReport {
  /** The points that it passed, in order. */
  readonly points: readonly string[];
  readonly runs: readonly { readonly state: string; readonly reason: string | null }[];
}

const order = JSON.parse(process.argv[2] ?? '{}') as ChildOrder;
const points: string[] = [];
const last = { value: '' };

/** Every journal record and every engine call that changes something: before and after. */
function pass(point: string): void {
  points.push(point);
  last.value = point;
  if (points.length === order.killAt) process.kill(process.pid, 'SIGKILL');
}

const observe = {
  before: (call: string) => pass(`call: before ${call}`),
  after: (call: string) => pass(`call: after ${call}`),
};
if (order.takeOver !== undefined) {
  await takeOverHere(order.endpoint, order.folder, order.takeOver, observe);
  process.stdout.write(`${JSON.stringify({ points, runs: [] } satisfies ChildReport)}\n`);
  process.exit(0);
}
const bench = await startRunBench({
  endpoint: order.endpoint,
  folder: order.folder,
  ...(order.self === undefined ? {} : { self: order.self, dataDir: order.folder }),
  failpoint: (point) => pass(`record: ${point}`),
  observe,
});
if (order.update !== undefined) {
  bench.offers.set(order.update.name, order.update.chosen);
  await bench.finished(await bench.begin(order.update.name));
} else {
  await Promise.all([...bench.operations.collection.values()].map(({ id }) => bench.operations.finished(id)));
}
const runs = [...bench.runs.collection.values()].map(({ state, reason }) => ({ state, reason }));
process.stdout.write(`${JSON.stringify({ points, runs } satisfies ChildReport)}\n`);
await bench.stop();
