import { expect, test } from 'vitest';
import { NameQueue } from './name-queue.ts';

test('those who want the same name go one after the other, the others at once', async () => {
  const queue = new NameQueue();
  const order: string[] = [];
  const first = queue.enter(['a', 'b']);
  const second = queue.enter(['b']);
  const third = queue.enter(['c']);
  const waiting = second.ready.then(() => order.push('second'));
  await first.ready;
  await third.ready;
  order.push('first leaves');
  first.leave();
  await waiting;
  expect(order).toEqual(['first leaves', 'second']);
});

test('one that leaves before its turn does not let those behind it overtake the one before', async () => {
  const queue = new NameQueue();
  const order: string[] = [];
  const first = queue.enter(['a']);
  const gaveUp = queue.enter(['a']);
  const last = queue.enter(['a']);
  const waiting = last.ready.then(() => order.push('last'));
  gaveUp.leave();
  await first.ready;
  order.push('first leaves');
  first.leave();
  await waiting;
  expect(order).toEqual(['first leaves', 'last']);
});
