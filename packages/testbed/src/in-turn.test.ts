import { expect, test } from 'vitest';
import { inTurn } from './in-turn.ts';

test('each step is taken in order, also after one that fails, and the failure is told', async () => {
  const taken: string[] = [];
  const steps = inTurn(
    async () => taken.push('first'),
    () => {
      throw new Error('the second fails');
    },
    () => taken.push('third'),
  );
  await expect(steps).rejects.toThrow('the second fails');
  expect(taken).toEqual(['first', 'third']);
});

test('several failures are all told', async () => {
  const fail = (sentence: string) => () => Promise.reject(new Error(sentence));
  await expect(inTurn(fail('one'), fail('two'))).rejects.toThrow(/one\n.*two/);
});
