import { describe, expect, it } from 'vitest';
import { passingClock } from './for-tests/registry-bench.ts';
import { createHostGate } from './host-gate.ts';
import { RegistryError } from './registry-client.ts';

function make(loopback = false) {
  const clock = passingClock();
  // Time stands still unless a test moves it, so that nothing opens by itself.
  const gate = createHostGate({
    host: 'reg.example',
    clock: { ...clock, sleep: () => new Promise(() => {}) },
    loopback,
  });
  return { clock, gate };
}
const fast = { kind: 'answered', milliseconds: 10 } as const;
const slow = { kind: 'answered', milliseconds: 5000 } as const;
const silence = { kind: 'unanswered', error: new RegistryError('sick', 'reg.example', 'silence') } as const;
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Many that want in; the numbers of those that are let in or turned away so far. */
function crowd(gate: ReturnType<typeof make>['gate'], size: number) {
  const count = { in: 0, out: 0 };
  for (let index = 0; index < size; index += 1) {
    gate.enter(undefined).then(
      () => {
        count.in += 1;
      },
      () => {
        count.out += 1;
      },
    );
  }
  return count;
}

describe('the gate of a host', () => {
  it('lets the first go alone, then six', async () => {
    const { gate } = make();
    const count = crowd(gate, 20);
    await settled();
    expect(count.in).toBe(1);
    gate.leave(slow);
    await settled();
    expect(count.in).toBe(7);
  });

  it('opens after a moment for a first one that takes its time', async () => {
    const clock = passingClock();
    const gate = createHostGate({ host: 'reg.example', clock, loopback: false });
    const count = crowd(gate, 20);
    await settled();
    await settled();
    expect(count.in).toBe(6);
    expect(clock.waits).toEqual([500]);
  });

  it('grows with fast answers, slowly outside and quickly on the loopback, and not without end', async () => {
    const grow = async (loopback: boolean, answers: number) => {
      const { gate } = make(loopback);
      for (let index = 0; index < answers; index += 1) {
        await gate.enter(undefined);
        gate.leave(fast);
      }
      return gate.limit;
    };
    expect(await grow(false, 8)).toBe(8);
    expect(await grow(false, 500)).toBe(24);
    expect(await grow(true, 8)).toBe(22);
    expect(await grow(true, 500)).toBe(64);
  });

  it('does not grow with slow answers', async () => {
    const { gate } = make();
    for (let index = 0; index < 20; index += 1) {
      await gate.enter(undefined);
      gate.leave(slow);
    }
    expect(gate.limit).toBe(6);
  });

  it('halves once for all that are refused together, down to one', () => {
    const { gate, clock } = make();
    for (let index = 0; index < 5; index += 1) gate.throttle(1000);
    expect(gate.limit).toBe(3);
    for (let time = 0; time < 5; time += 1) {
      clock.advance(gate.coolDownUntil === undefined ? 0 : gate.coolDownUntil - clock.now() + 1);
      gate.throttle(1000);
    }
    expect(gate.limit).toBe(1);
  });

  it('pauses for what was asked, and longer each time where nothing was', async () => {
    const { gate, clock } = make();
    const answer = async () => {
      await gate.enter(undefined);
      gate.leave(slow);
    };
    const pause = (asked?: number) => {
      const milliseconds = gate.throttle(asked);
      clock.advance(milliseconds + 1);
      return milliseconds;
    };
    expect([pause(), pause(), pause(), pause(), pause(), pause()]).toEqual([
      5000, 30_000, 120_000, 300_000, 900_000, 900_000,
    ]);
    await answer();
    expect(pause()).toBe(5000);
    await answer();
    // What the host asks for is believed twice; a host that always says "at once" is paced all the same.
    expect([pause(0), pause(0), pause(0), pause(0), pause(3_600_000)]).toEqual([0, 0, 5000, 30_000, 3_600_000]);
  });

  it('turns away all that wait when the pause is long, and those that come later', async () => {
    const { gate } = make();
    const count = crowd(gate, 10);
    await settled();
    gate.coolDown(600_000, 'because');
    await settled();
    expect(count).toEqual({ in: 1, out: 9 });
    await expect(gate.enter(undefined)).rejects.toMatchObject({
      kind: 'busy',
      retryAfterSeconds: 600,
      message: expect.stringContaining('because'),
    });
  });

  it('fails all that wait when three in a row get no answer, then sends one ahead again', async () => {
    const { gate } = make();
    await gate.enter(undefined);
    gate.leave(slow);
    const count = crowd(gate, 20);
    await settled();
    expect(count.in).toBe(6);
    for (let index = 0; index < 3; index += 1) gate.leave(silence);
    await settled();
    expect(count.out).toBe(20 - count.in);
    for (let index = 3; index < count.in; index += 1) gate.leave(silence);
    const next = crowd(gate, 5);
    await settled();
    expect(next.in).toBe(1);
  });

  it('takes nobody in who has given up', async () => {
    const { gate } = make();
    await gate.enter(undefined);
    const abort = new AbortController();
    const waiting = gate.enter(abort.signal);
    abort.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
    gate.leave(slow);
    const count = crowd(gate, 10);
    await settled();
    expect(count.in).toBe(6);
  });
});
