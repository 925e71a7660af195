import { expect, test } from 'vitest';
import { mapBounded } from './map-bounded.ts';

test('keeps the order of the items and never has more at work than the limit', async () => {
  let atWork = 0;
  let most = 0;
  const results = await mapBounded([5, 1, 4, 2, 3], 2, async (item) => {
    atWork += 1;
    most = Math.max(most, atWork);
    for (let turn = 0; turn < item; turn += 1) await Promise.resolve();
    atWork -= 1;
    return item * 10;
  });
  expect(results).toEqual([50, 10, 40, 20, 30]);
  expect(most).toBe(2);
});

test('throws the first failure and begins nothing more', async () => {
  const begun: number[] = [];
  const work = mapBounded([1, 2, 3, 4], 1, async (item) => {
    begun.push(item);
    if (item === 2) throw new Error('two');
    return item;
  });
  await expect(work).rejects.toThrow('two');
  expect(begun).toEqual([1, 2]);
});
