import { expect, it } from 'vitest';
import { testClock } from '../platform/test-clock.ts';
import { createRetries } from './retries.ts';

const minute = 60_000;

function start(everyMinutes = 360) {
  const clock = testClock();
  const asked: [minutes: number, references: string][] = [];
  const retries = createRetries({
    clock,
    random: () => 0,
    everyMinutes: () => everyMinutes,
    ask(references) {
      asked.push([clock.now() / minute, [...references].join()]);
      for (const reference of references) retries.failed(reference, null);
    },
  });
  return { clock, retries, asked };
}

it('a reference that fails is asked for again, ever later, until the schedule comes sooner', async () => {
  const { clock, retries, asked } = start();
  retries.failed('a', null);
  await clock.advance(1000 * minute);
  expect(asked).toEqual([
    [5, 'a'],
    [20, 'a'],
    [65, 'a'],
    [200, 'a'],
  ]);
  retries.close();
});

it('one that succeeds is left alone and begins anew; what is due together is asked for together', async () => {
  const { clock, retries, asked } = start();
  retries.failed('a', null);
  retries.failed('b', null);
  retries.failed('c', null);
  retries.succeeded('c');
  await clock.advance(6 * minute);
  retries.succeeded('a');
  await clock.advance(10 * minute);
  retries.failed('a', 60 * minute);
  await clock.advance(20 * minute);
  expect(asked).toEqual([
    [5, 'a,b'],
    [20, 'b'],
  ]);
  await clock.advance(24 * minute);
  expect(asked.at(-1)).toEqual([60, 'a']);
  retries.close();
});

it('nothing is asked for by itself where no checks are wanted', async () => {
  const { clock, retries, asked } = start(0);
  retries.failed('a', null);
  await clock.advance(1000 * minute);
  expect(asked).toEqual([]);
  retries.close();
});
