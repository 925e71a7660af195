import type { Clock } from '../clock.ts';
import { RegistryError } from './registry-client.ts';

/** How a request to a host went, as far as the host's pace is concerned. */
export type GateOutcome =
  | { readonly kind: 'answered'; readonly milliseconds: number }
  | { readonly kind: 'unanswered'; readonly error: RegistryError };

/**
 * The pace of one registry host. The first request goes ahead alone (the others learn from it how to sign in); then the
 * number in flight follows how fast the host answers. A host that asks for a pause is left alone by everybody, and one
 * that answers nobody fails all that wait at once, so that a dead host costs one time-out and not one per image.
 */
export interface HostGate {
  /** Waits for a place. Throws `RegistryError` when the host is to be left alone for longer than anybody should wait. */
  enter(signal: AbortSignal | undefined): Promise<void>;
  leave(outcome: GateOutcome): void;
  /** The host asked for a pause. */
  coolDown(milliseconds: number, reason: string): void;
  /**
   * The host said that there are too many requests (429). The pause is as long as it `asked` for, and longer each time in a row
   * where it did not say; `extra` is added for jitter. Returns the pause that is left, in milliseconds.
   */
  throttle(asked: number | undefined, extra?: number): number;
  /** Waits until the pause is over. */
  untilCool(signal: AbortSignal | undefined): Promise<void>;
  readonly coolDownUntil: number | undefined;
  readonly limit: number;
}

export interface HostGateOptions {
  readonly host: string;
  readonly clock: Clock;
  readonly loopback: boolean;
}

const start = 6;
const patience = 20_000;
const aheadMilliseconds = 500;
const fastMilliseconds = 250;
const deadAfter = 3;
/** Pauses of a host that says 429 time and again without saying how long, in milliseconds. */
const pauses: readonly number[] = [5000, 30_000, 120_000, 300_000, 900_000];
/** What a host asks for is believed so often in a row; then the pauses grow all the same. */
const believed = 2;

export function createHostGate({ host, clock, loopback }: HostGateOptions): HostGate {
  const most = loopback ? 64 : 24;
  const growth = loopback ? 2 : 0.25;
  const waiting: { go: () => void; fail: (error: RegistryError) => void }[] = [];
  let limit = start;
  let alone = true;
  let active = 0;
  let unanswered = 0;
  let coolUntil = 0;
  let coolReason = '';
  let throttled = 0;

  function admit(): void {
    while (active < (alone ? 1 : Math.floor(limit))) {
      const next = waiting.shift();
      if (next === undefined) return;
      active += 1;
      next.go();
    }
  }

  function open(): void {
    alone = false;
    admit();
  }

  function failWaiting(error: RegistryError): void {
    for (const { fail } of waiting.splice(0)) fail(error);
  }

  function busy(): RegistryError {
    const seconds = Math.max(1, Math.ceil((coolUntil - clock.now()) / 1000));
    const text = `The registry ${host} asked for a pause: ${coolReason}. It is asked again in ${seconds} seconds at the earliest.`;
    return new RegistryError('busy', host, text, { retryAfterSeconds: seconds });
  }

  async function untilCool(signal: AbortSignal | undefined): Promise<void> {
    for (let left = coolUntil - clock.now(); left > 0; left = coolUntil - clock.now()) {
      if (left > patience) throw busy();
      await clock.sleep(left, signal);
    }
  }

  function place(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        const at = waiting.indexOf(entry);
        if (at >= 0) waiting.splice(at, 1);
        reject(signal?.reason);
      };
      const settle = () => signal?.removeEventListener('abort', abort);
      const entry = {
        go: () => {
          settle();
          resolve();
        },
        fail: (error: RegistryError) => {
          settle();
          reject(error);
        },
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', abort, { once: true });
      waiting.push(entry);
      admit();
      if (alone && waiting.length > 0) openSoon();
    });
  }

  let opening = false;
  /** A first request that takes its time does not hold up the others for long. */
  function openSoon(): void {
    if (opening) return;
    opening = true;
    void clock.sleep(aheadMilliseconds).then(() => {
      opening = false;
      if (alone) open();
    });
  }

  function coolDown(milliseconds: number, reason: string): void {
    const now = clock.now();
    // Many that were in flight are refused together: that is one sign, not many.
    if (coolUntil <= now) limit = Math.max(1, limit / 2);
    coolUntil = Math.max(coolUntil, now + milliseconds);
    coolReason = reason;
    if (coolUntil - now > patience) failWaiting(busy());
  }

  function pauseOf(asked: number | undefined): number {
    const step = pauses[Math.min(throttled - (asked === undefined ? 0 : believed), pauses.length) - 1] ?? 0;
    return Math.max(asked ?? 0, step);
  }

  return {
    async enter(signal) {
      await untilCool(signal);
      await place(signal);
      try {
        await untilCool(signal);
      } catch (error) {
        active -= 1;
        admit();
        throw error;
      }
    },
    leave(outcome) {
      active -= 1;
      if (outcome.kind === 'answered') {
        unanswered = 0;
        // One that was under way before the pause proves nothing.
        if (Number.isFinite(outcome.milliseconds) && coolUntil <= clock.now()) throttled = 0;
        if (outcome.milliseconds < fastMilliseconds && coolUntil <= clock.now()) limit = Math.min(most, limit + growth);
        open();
        return;
      }
      unanswered += 1;
      if (unanswered >= deadAfter) {
        unanswered = 0;
        alone = true;
        limit = start;
        failWaiting(outcome.error);
      }
      admit();
    },
    coolDown,
    throttle(asked, extra = 0) {
      const cooling = coolUntil > clock.now();
      if (!cooling) throttled += 1;
      if (!cooling || asked !== undefined) coolDown(pauseOf(asked) + extra, 'too many requests (429)');
      return Math.max(0, coolUntil - clock.now());
    },
    untilCool,
    get coolDownUntil() {
      return coolUntil > clock.now() ? coolUntil : undefined;
    },
    get limit() {
      return Math.floor(limit);
    },
  };
}
