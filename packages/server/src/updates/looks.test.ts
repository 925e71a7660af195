import { expect, it } from 'vitest';
import { createLooks } from './looks.ts';

/** Looks that end when the test says so. */
function scripted() {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const looks = createLooks(() => new Promise<void>((resolve, reject) => ends.push({ resolve, reject })));
  return { looks, ends };
}

it('whoever asks while a look is on its way gets the next one, and all of them the same', async () => {
  const { looks, ends } = scripted();
  const first = looks.again();
  const others = [looks.again(), looks.again(), looks.again()];
  expect(ends).toHaveLength(1);
  ends[0]?.resolve();
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toHaveLength(2);
  ends[1]?.resolve();
  await Promise.all(others);
  expect(ends).toHaveLength(2);
});

it('a look that fails fails for those who asked before it, not for those who wait', async () => {
  const { looks, ends } = scripted();
  const first = looks.again();
  const second = looks.again();
  ends[0]?.reject(new Error('the engine is away'));
  await expect(first).rejects.toThrow('away');
  await new Promise((resolve) => setImmediate(resolve));
  ends[1]?.resolve();
  await expect(second).resolves.toBeUndefined();
});
