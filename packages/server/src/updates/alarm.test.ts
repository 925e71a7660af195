import { expect, it } from 'vitest';
import { testClock } from '../platform/test-clock.ts';
import { createAlarm } from './alarm.ts';

const day = 24 * 3_600_000;

it('an alarm rings once, at the last moment that was set, after a month too', async () => {
  const clock = testClock();
  const rings: number[] = [];
  const alarm = createAlarm({ clock, ring: () => rings.push(clock.now()) });
  alarm.set(5000);
  alarm.set(31 * day);
  await clock.advance(40 * day);
  expect(rings).toEqual([31 * day]);
  alarm.set(0);
  await clock.advance(0);
  expect(rings).toEqual([31 * day, 40 * day]);
});

it('an alarm that is put off or closed does not ring', async () => {
  const clock = testClock();
  const rings: number[] = [];
  const alarm = createAlarm({ clock, ring: () => rings.push(clock.now()) });
  alarm.set(10);
  alarm.set(undefined);
  await clock.advance(20);
  alarm.set(30);
  alarm.close();
  alarm.set(40);
  await clock.advance(100);
  expect(rings).toEqual([]);
});
