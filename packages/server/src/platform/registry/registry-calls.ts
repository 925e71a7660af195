import type { Clock } from '../clock.ts';
import { isLoopbackName } from './address-guard.ts';
import { createHostGate, type HostGate } from './host-gate.ts';
import { AttemptFailure } from './network-failure.ts';
import { type RateLimit, readRateLimit } from './rate-limit.ts';
import type { RegistryAuth } from './registry-auth.ts';
import { RegistryError, type RegistryHealth } from './registry-client.ts';
import type { FetchAnswer } from './registry-fetch.ts';
import type { RegistryTransport } from './registry-transport.ts';
import { statusFailure } from './status-failure.ts';

export interface CallRequest {
  readonly host: string;
  /** For the token; empty for the API itself. */
  readonly repository: string;
  readonly method: 'GET' | 'HEAD';
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
}

export interface CallOptions {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly auth: RegistryAuth;
  readonly transport: RegistryTransport;
  /** Why there are no credentials for a host although somebody has named some; undefined where there is nothing to say. */
  readonly whyNoCredentials: (host: string) => string | undefined;
}

/** Calls with pace, sign-in and retries. Answers are 2xx, 304 or 404; everything else throws `RegistryError`. */
export interface RegistryCalls {
  call(request: CallRequest): Promise<FetchAnswer>;
  health(host: string): Omit<RegistryHealth, 'requests'>;
  /** What the registry last said about its limit; undefined when it said nothing or its window has passed since. */
  rateLimit(host: string): RateLimit | undefined;
}

interface HostFacts {
  readonly gate: HostGate;
  last: RegistryError | 'good' | undefined;
  rateLimit: RateLimit | undefined;
}

const mostTries = 3;
const baseWait = 400;
const longestWait = 20_000;

export function createRegistryCalls({ clock, random, auth, transport, whyNoCredentials }: CallOptions): RegistryCalls {
  const hosts = new Map<string, HostFacts>();

  function factsOf(host: string): HostFacts {
    const known = hosts.get(host);
    if (known) return known;
    const hostname = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : host;
    const gate = createHostGate({ host, clock, loopback: isLoopbackName(hostname) });
    const facts: HostFacts = { gate, last: undefined, rateLimit: undefined };
    hosts.set(host, facts);
    return facts;
  }

  async function attempt(request: CallRequest, facts: HostFacts): Promise<FetchAnswer> {
    const { host, repository, method, target, headers, maxBytes, signal } = request;
    let authorization = await auth.header(host, repository, signal);
    for (let round = 1; ; round += 1) {
      const answer = await transport.send(host, target, { method, headers, authorization, maxBytes, signal });
      facts.rateLimit = readRateLimit(answer.header, clock.now()) ?? facts.rateLimit;
      if (answer.status === 401) {
        authorization = await auth.afterRefusal(host, repository, answer, round, signal);
        continue;
      }
      const { status } = answer;
      if ((status >= 200 && status < 300) || status === 304 || status === 404) return answer;
      throw statusFailure(host, answer, `The registry ${host}`, clock.now());
    }
  }

  /**
   * Lets the host rest as it asks, and everybody with it. Returns how long the next try waits: full jitter, between nothing and
   * twice the time of the try before, never less than the pause.
   */
  function rest(failure: AttemptFailure, tries: number, { gate }: HostFacts): number {
    const jitter = random() * baseWait * 2 ** tries;
    if (failure.throttled) return gate.throttle(failure.wait, jitter / 4);
    if (failure.wait === undefined) return jitter;
    gate.coolDown(failure.wait + jitter / 4, 'it is out of order and said for how long');
    return failure.wait + jitter / 4;
  }

  async function tryHard(request: CallRequest, facts: HostFacts): Promise<FetchAnswer> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt(request, facts);
      } catch (error) {
        if (!(error instanceof AttemptFailure)) throw error;
        const wait = rest(error, tries, facts);
        if (!error.retry || tries >= mostTries || wait > longestWait) throw error;
        if (facts.gate.coolDownUntil !== undefined) await facts.gate.untilCool(request.signal);
        else await clock.sleep(wait, request.signal);
      }
    }
  }

  function rateLimit(host: string): RateLimit | undefined {
    const known = hosts.get(host)?.rateLimit;
    return known && known.until > clock.now() ? known : undefined;
  }

  function withReason(error: unknown): unknown {
    if (!(error instanceof RegistryError) || error.kind !== 'denied') return error;
    const why = whyNoCredentials(error.host);
    return why === undefined
      ? error
      : new RegistryError('denied', error.host, `${error.message} ${why}`, { cause: error });
  }

  return {
    rateLimit,
    async call(request) {
      const facts = factsOf(request.host);
      const done = auth.want(request.host, request.repository);
      try {
        await facts.gate.enter(request.signal);
        const began = clock.now();
        try {
          const answer = await tryHard(request, facts);
          facts.last = 'good';
          facts.gate.leave({ kind: 'answered', milliseconds: clock.now() - began });
          return answer;
        } catch (error) {
          const silent = error instanceof AttemptFailure && error.unanswered;
          facts.gate.leave(
            silent
              ? { kind: 'unanswered', error: error.error }
              : { kind: 'answered', milliseconds: Number.POSITIVE_INFINITY },
          );
          throw error;
        }
      } catch (error) {
        const cause = withReason(error instanceof AttemptFailure ? error.error : error);
        if (cause instanceof RegistryError) facts.last = cause;
        throw cause;
      } finally {
        done();
      }
    },
    health(host) {
      const facts = hosts.get(host);
      if (facts === undefined) return { state: 'unused', reason: null, coolDownUntil: null, rateLimitRemaining: null };
      const coolDownUntil = facts.gate.coolDownUntil ?? null;
      const { last } = facts;
      const rateLimitRemaining = rateLimit(host)?.remaining ?? null;
      const reason = last instanceof RegistryError ? last.message : null;
      return { state: stateOf(last, coolDownUntil), reason, coolDownUntil, rateLimitRemaining };
    },
  };
}

function stateOf(last: HostFacts['last'], coolDownUntil: number | null): RegistryHealth['state'] {
  if (coolDownUntil !== null) return 'cooling-down';
  if (last === undefined) return 'unused';
  if (last === 'good') return 'ok';
  return last.kind === 'denied' ? 'denied' : 'sick';
}
