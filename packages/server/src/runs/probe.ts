import { connect } from 'node:net';
import type { Gate } from '@evenkeel/contract';
import { request } from 'undici';
import type { Engine } from '../platform/engine/engine.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { describeError } from '../platform/fault.ts';

const attemptMs = 5000;

/** One attempt of the HTTP and TCP probes of the gate. Undefined when all of them hold, else what went wrong. */
export async function probe(
  engine: Engine,
  container: ContainerInspect,
  gate: Gate,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (gate.tcp !== undefined) {
    const { port } = gate.tcp;
    const failure = await atAnyAddress(engine, container, port, (host, at) => tryTcp(host, at));
    if (failure !== undefined) return `TCP port ${port}: ${failure}`;
  }
  if (gate.http !== undefined) {
    const { port, path, status } = gate.http;
    const failure = await atAnyAddress(engine, container, port, (host, at) => tryHttp(host, at, path, status, signal));
    if (failure !== undefined) return `HTTP on port ${port}${path}: ${failure}`;
  }
  return undefined;
}

type Attempt =
  | { readonly answered: true; readonly failure?: string }
  | { readonly answered: false; readonly failure: string };

/**
 * The container's own addresses first. Only where none of them can be reached (the engine is on another machine) the published
 * port counts: a proxy there accepts connections even when nobody listens behind it.
 */
async function atAnyAddress(
  engine: Engine,
  container: ContainerInspect,
  port: number,
  attempt: (host: string, port: number) => Promise<Attempt>,
): Promise<string | undefined> {
  let failure = 'it has no address';
  for (const address of await addresses(engine, container, port)) {
    const result = await attempt(address.host, address.port);
    if (result.answered) return result.failure;
    failure = result.failure;
  }
  return failure;
}

async function addresses(
  engine: Engine,
  container: ContainerInspect,
  port: number,
): Promise<{ host: string; port: number }[]> {
  const mode = container.HostConfig.NetworkMode ?? '';
  const engineHost = hostOf(engine.endpoint);
  if (mode === 'host') return [{ host: engineHost, port }];
  if (mode.startsWith('container:')) {
    const owner = await engine.containers.inspect(mode.slice('container:'.length));
    return owner === undefined ? [] : addresses(engine, owner, port);
  }
  const own = Object.values(container.NetworkSettings.Networks)
    .flatMap(({ IPAddress, GlobalIPv6Address }) => [IPAddress, GlobalIPv6Address])
    .filter((host) => host !== undefined && host !== '')
    .map((host) => ({ host: host ?? '', port }));
  const published = (container.NetworkSettings.Ports?.[`${port}/tcp`] ?? []).map(({ HostIp, HostPort }) => ({
    host: HostIp === undefined || ['', '0.0.0.0', '::'].includes(HostIp) ? engineHost : HostIp,
    port: Number(HostPort),
  }));
  return [...own, ...published];
}

function hostOf(endpoint: string): string {
  return endpoint.startsWith('unix:') ? '127.0.0.1' : new URL(endpoint).hostname;
}

function tryTcp(host: string, port: number): Promise<Attempt> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: attemptMs });
    const end = (result: Attempt) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end({ answered: true }));
    socket.once('timeout', () => end({ answered: false, failure: 'no answer' }));
    socket.once('error', (error) => end(refusal(error)));
  });
}

async function tryHttp(
  host: string,
  port: number,
  path: string,
  status: number | undefined,
  signal: AbortSignal,
): Promise<Attempt> {
  try {
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
    const within = AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]);
    const response = await request(url, { signal: within });
    await response.body.dump({ limit: 65_536 });
    const good = status === undefined ? response.statusCode < 400 : response.statusCode === status;
    return good ? { answered: true } : { answered: true, failure: `it answered ${response.statusCode}` };
  } catch (error) {
    signal.throwIfAborted();
    return refusal(error);
  }
}

/** A refused or broken connection is the container's answer; anything else says that we do not reach it. */
function refusal(error: unknown): Attempt {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const failure = describeError(error);
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'UND_ERR_SOCKET'
    ? { answered: true, failure: code === 'ECONNREFUSED' ? 'nobody listens' : failure }
    : { answered: false, failure };
}
