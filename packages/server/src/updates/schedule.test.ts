import { afterEach, describe, expect, it } from 'vitest';
import { testClock } from '../platform/test-clock.ts';
import { createSchedule, type Schedule } from './schedule.ts';

const hour = 3_600_000;
const schedules: Schedule[] = [];
afterEach(async () => {
  for (const schedule of schedules.splice(0)) await schedule.close();
});

function start(minutes: number, random = 0.5) {
  const clock = testClock();
  const seen = { due: 0, soon: 0, minutes };
  const schedule = createSchedule({
    clock,
    random: () => random,
    everyMinutes: () => seen.minutes,
    due: () => {
      seen.due += 1;
    },
    soonMilliseconds: 5000,
    soon: () => {
      seen.soon += 1;
    },
  });
  schedules.push(schedule);
  return { clock, seen, schedule };
}

describe('automatic checks', () => {
  it('come every interval, a tenth earlier or later', async () => {
    const early = start(360, 0);
    await early.clock.advance(5.4 * hour - 1);
    expect(early.seen.due).toBe(0);
    await early.clock.advance(1);
    expect(early.seen.due).toBe(1);
    const middle = start(360);
    await middle.clock.advance(18 * hour);
    expect(middle.seen.due).toBe(3);
  });
  it('come after a month too, which is longer than a timer reaches', async () => {
    const { clock, seen } = start(43_200);
    await clock.advance(720 * hour - 1);
    expect(seen.due).toBe(0);
    await clock.advance(1);
    expect(seen.due).toBe(1);
  });
  it('stay away at 0 and begin when the interval is set', async () => {
    const { clock, seen, schedule } = start(0);
    await clock.advance(100 * hour);
    expect(seen.due).toBe(0);
    seen.minutes = 60;
    schedule.restart();
    await clock.advance(hour);
    expect(seen.due).toBe(1);
  });
  it('of many new containers are one', async () => {
    const { clock, seen, schedule } = start(0);
    for (let count = 0; count < 50; count += 1) schedule.nudge();
    await clock.advance(5000);
    expect(seen.soon).toBe(1);
    schedule.nudge();
    await clock.advance(5000);
    expect(seen.soon).toBe(2);
  });
});
