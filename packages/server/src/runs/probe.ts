import { connect } from 'node:net';
import type { Finding, Gate } from '@evenkeel/contract';
import { request } from 'undici';
import type { Engine } from '../platform/engine/engine.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { describeError } from '../platform/fault.ts';
import { couldBeProbed, networkHolder, type ProbeRoute, probeRoutes, standpointOf } from './probe-route.ts';
import { plainName } from './spec-api.ts';

const attemptMs = 5000;

/** Why a probe does not hold. `reached` false: we did not get to the container, which says nothing about it. */
export interface ProbeFailure {
  readonly text: string;
  readonly reached: boolean;
}

/**
 * One attempt of the HTTP and TCP probes of the gate. Undefined when all of them hold, else what went wrong.
 * `self`: id of the container in which we run.
 */
export async function probe(
  engine: Engine,
  self: string | undefined,
  container: ContainerInspect,
  gate: Gate,
  signal: AbortSignal,
): Promise<ProbeFailure | undefined> {
  for (const { what, port, attempt } of probesOf(gate)) {
    const failure = await atAnyAddress(await routesTo(engine, self, container, port), (route) =>
      attempt(route, signal),
    );
    if (failure !== undefined) return { ...failure, text: `${what}: ${failure.text}` };
  }
  return undefined;
}

/** Probes of the gate that cannot be made from where we run: the run is refused, because they could never hold. */
export async function impossibleProbes(
  engine: Engine,
  self: string | undefined,
  container: ContainerInspect,
  gate: Gate,
): Promise<Finding[]> {
  const name = plainName(container.Name);
  const findings: Finding[] = [];
  const probes = probesOf(gate);
  if (probes.length === 0) return [];
  const [standpoint, holder] = await Promise.all([standpointOf(engine, self), networkHolder(engine, container.Id)]);
  for (const { what, port } of probes) {
    if (holder === undefined || couldBeProbed(holder, port, standpoint)) continue;
    findings.push({
      code: 'probe-unreachable',
      text: `${what} of ${name} is to be probed after the start, but cannot be reached from where Evenkeel runs: there is no network that both are on, and the port is not published where Evenkeel gets to.`,
      remedy: `Connect Evenkeel to a network of ${name}, publish the port, or use a health check instead of the probe.`,
    });
  }
  return findings;
}

interface Probe {
  /** For people: `TCP port 80`. */
  readonly what: string;
  readonly port: number;
  attempt(route: ProbeRoute, signal: AbortSignal): Promise<ProbeFailure | undefined>;
}

function probesOf({ tcp, http }: Gate): Probe[] {
  return [
    ...(tcp === undefined ? [] : [{ what: `TCP port ${tcp.port}`, port: tcp.port, attempt: tryTcp }]),
    ...(http === undefined
      ? []
      : [
          {
            what: `HTTP on port ${http.port}${http.path}`,
            port: http.port,
            attempt: (route: ProbeRoute, signal: AbortSignal) => tryHttp(route, http.path, http.status, signal),
          },
        ]),
  ];
}

async function routesTo(
  engine: Engine,
  self: string | undefined,
  container: ContainerInspect,
  port: number,
): Promise<ProbeRoute[]> {
  const [standpoint, holder] = await Promise.all([standpointOf(engine, self), networkHolder(engine, container.Id)]);
  return holder === undefined ? [] : probeRoutes(holder, port, standpoint);
}

/** The first address that can be reached decides. */
async function atAnyAddress(
  routes: readonly ProbeRoute[],
  attempt: (route: ProbeRoute) => Promise<ProbeFailure | undefined>,
): Promise<ProbeFailure | undefined> {
  let failure: ProbeFailure = { text: 'it cannot be reached from here', reached: false };
  for (const route of routes) {
    const result = await attempt(route);
    if (result === undefined || result.reached) return result;
    failure = result;
  }
  return failure;
}

function tryTcp({ host, port, sure }: ProbeRoute): Promise<ProbeFailure | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: attemptMs });
    const end = (result: ProbeFailure | undefined) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end({ text: 'no answer', reached: false }));
    socket.once('error', (error) => end(connectFailure(error, sure)));
  });
}

/** A connection first: whatever goes wrong after that is the container's own doing. */
async function tryHttp(
  route: ProbeRoute,
  path: string,
  status: number | undefined,
  signal: AbortSignal,
): Promise<ProbeFailure | undefined> {
  const unreached = await tryTcp(route);
  if (unreached !== undefined) return unreached;
  try {
    const { host, port } = route;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
    const within = AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]);
    const response = await request(url, { signal: within });
    await response.body.dump({ limit: 65_536 });
    const good = status === undefined ? response.statusCode < 400 : response.statusCode === status;
    return good ? undefined : { text: `it answered ${response.statusCode}`, reached: true };
  } catch (error) {
    signal.throwIfAborted();
    return { text: describeError(error), reached: true };
  }
}

/** A refused connection is the container's answer; anything else says that we do not reach it. */
function connectFailure(error: unknown, sure: boolean): ProbeFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === 'ECONNREFUSED'
    ? { text: 'nobody listens', reached: sure }
    : { text: describeError(error), reached: code === 'ECONNRESET' };
}
