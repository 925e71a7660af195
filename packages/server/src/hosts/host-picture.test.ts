import { expect, test } from 'vitest';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { PictureKeeper } from './host-picture.ts';

function container(id: string, status: string): ContainerInspect {
  return { Id: id, Name: `/${id}`, State: { Status: status, Running: status === 'running' } } as ContainerInspect;
}

/** Inspections that are answered by hand, in whatever order. */
function answeredByHand() {
  const asked: { id: string; answer: (found: ContainerInspect | undefined) => void }[] = [];
  const changes: string[] = [];
  const keeper = new PictureKeeper(
    (id) => new Promise((resolve) => asked.push({ id, answer: resolve })),
    (id) => changes.push(id),
  );
  return { asked, changes, keeper };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('of many wishes for one container while an inspect runs, one more is done', async () => {
  const { asked, keeper } = answeredByHand();
  const first = keeper.refresh('a');
  const others = [keeper.refresh('a'), keeper.refresh('a'), keeper.refresh('a')];
  expect(asked).toHaveLength(1);
  asked[0]?.answer(container('a', 'created'));
  await first;
  await settle();
  expect(asked).toHaveLength(2);
  asked[1]?.answer(container('a', 'running'));
  for (const other of others) expect((await other)?.State.Status).toBe('running');
  expect(keeper.containers.get('a')?.State.Status).toBe('running');
});

test('a container that is gone leaves the picture, and the count of the running follows', async () => {
  const { asked, changes, keeper } = answeredByHand();
  const seen = keeper.refresh('a');
  asked[0]?.answer(container('a', 'running'));
  await seen;
  expect(keeper.running).toBe(1);
  const again = keeper.refresh('a');
  asked[1]?.answer(undefined);
  expect(await again).toBeUndefined();
  expect(keeper.running).toBe(0);
  expect(keeper.containers.size).toBe(0);
  expect(changes).toEqual(['a', 'a']);
});

test('a failed inspect changes nothing and the next one is done', async () => {
  let failures = 1;
  const keeper = new PictureKeeper(
    async (id) => {
      if (failures-- > 0) throw new Error('away');
      return container(id, 'running');
    },
    () => undefined,
  );
  const failed = keeper.refresh('a');
  const next = keeper.refresh('a');
  await expect(failed).rejects.toThrow('away');
  expect((await next)?.Id).toBe('a');
});

test('an answer that is older than the removal does not bring the container back', async () => {
  const { asked, keeper } = answeredByHand();
  const seen = keeper.refresh('a');
  asked[0]?.answer(container('a', 'running'));
  await seen;
  const late = keeper.refresh('a');
  keeper.remove('a');
  asked[1]?.answer(container('a', 'exited'));
  expect(await late).toBeUndefined();
  expect(keeper.containers.size).toBe(0);
  expect(keeper.running).toBe(0);
});
