import type { Gate } from '@evenkeel/contract';
import type { Healthcheck } from '../platform/engine/engine-types.ts';

const second = 1_000_000_000;
/** What the engine takes for fields that are zero (docker run reference, HEALTHCHECK). */
const defaults = { Interval: 30 * second, Timeout: 30 * second, StartPeriod: 0, Retries: 3 };
/** For the engine's own work around a probe. */
const marginSeconds = 5;
const probeSeconds = 30;

/** A migration may take long, and is not broken off lightly. */
const endSeconds = 600;

/** The gate of a member. `untilDone`: somebody waits for its successful end (`service_completed_successfully`), so it need not run on. */
export type MemberGate = Gate & { readonly untilDone?: boolean };

/** What is waited for, in numbers. */
export interface GateTerms {
  readonly kind: 'health' | 'running' | 'end';
  /** Without a health check: how long it must run. For an end: the longest wait for it. */
  readonly seconds: number;
  /** Longest wait for the health check. */
  readonly healthSeconds: number;
  /** Longest wait for the probe, after the above holds. */
  readonly probeSeconds: number;
}

/**
 * The terms for a container whose effective health check (its own merged with the image's, as inspect shows it) is given.
 * A health check has start period + retries × (interval + timeout) and a margin; the first probe comes after one interval.
 */
export function gateTerms(gate: MemberGate, healthcheck: Healthcheck | null | undefined): GateTerms {
  const interval = healthcheck?.Interval || defaults.Interval;
  const timeout = healthcheck?.Timeout || defaults.Timeout;
  const retries = healthcheck?.Retries || defaults.Retries;
  const startPeriod = healthcheck?.StartPeriod || defaults.StartPeriod;
  const computed = Math.ceil((startPeriod + retries * (interval + timeout)) / second) + marginSeconds;
  const waited = { healthSeconds: gate.timeoutSeconds ?? computed, probeSeconds: gate.timeoutSeconds ?? probeSeconds };
  if (gate.untilDone === true) return { ...waited, kind: 'end', seconds: gate.timeoutSeconds ?? endSeconds };
  return {
    ...waited,
    kind: hasHealthcheck(healthcheck) ? 'health' : 'running',
    seconds: gate.seconds ?? 15,
  };
}

export function hasHealthcheck(healthcheck: Healthcheck | null | undefined): boolean {
  const test = healthcheck?.Test ?? [];
  return test.length > 0 && test[0] !== 'NONE' && !(test.length === 1 && test[0] === '');
}

/** "is healthy within 95 s and answers on TCP port 80". */
export function describeGate(gate: MemberGate, healthcheck: Healthcheck | null | undefined): string {
  const terms = gateTerms(gate, healthcheck);
  if (terms.kind === 'end') return `has ended with code 0 (within ${terms.seconds} s)`;
  const first =
    terms.kind === 'health'
      ? `is healthy (within ${terms.healthSeconds} s)`
      : `has run for ${terms.seconds} s without a restart`;
  const http = gate.http === undefined ? '' : ` and answers HTTP on port ${gate.http.port}${gate.http.path}`;
  const tcp = gate.tcp === undefined ? '' : ` and accepts TCP on port ${gate.tcp.port}`;
  return `${first}${http}${tcp}`;
}
