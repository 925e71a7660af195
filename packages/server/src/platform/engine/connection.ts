import type { Readable } from 'node:stream';
import { Pool } from 'undici';
import { Fault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import { negotiateVersion, oldestKnown } from './api-version.ts';
import { parseEndpoint } from './endpoint.ts';
import { EngineError } from './engine.ts';
import { unreachable } from './unreachable.ts';

/** TLS material for `tcp://` endpoints, PEM. */
export interface EngineTls {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
}

/**
 * Sees each call that changes the engine, as `POST /containers/web/stop?t=1` (no version prefix): before it is sent, and
 * after its answer was read. Metrics and the kill matrix hang on to it. What it throws, the caller gets.
 */
export interface EngineObserver {
  before(call: string): void | Promise<void>;
  after(call: string, error?: unknown): void | Promise<void>;
}

export interface ConnectionOptions {
  readonly endpoint: string;
  readonly log: Log;
  readonly tls?: EngineTls;
  /** Nothing is connected to; every call fails as `engine_unreachable` with this sentence. The endpoint is only shown then. */
  readonly refusal?: string;
  readonly observe?: EngineObserver;
  /** How long a read may take until the engine counts as unreachable; 30 s. */
  readonly timeoutMs?: number;
  /** The same for changes that finish by themselves (create, start, remove …); 120 s: creating may copy volumes. */
  readonly changeTimeoutMs?: number;
}

export interface EngineCall {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Below the version, with the query: `/containers/json?all=1`. */
  readonly path: string;
  readonly json?: unknown;
  readonly raw?: { readonly type: string; readonly body: Uint8Array | Readable };
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /**
   * `read`: the answer and each part of it come within the time-out. `change`: within the longer one. `endless`: no limit.
   * While `change` and `endless` wait, the engine is pinged, so that one that hangs is noticed all the same.
   * `stream`: the head comes within the time-out, the body whenever it likes.
   */
  readonly patience?: 'read' | 'change' | 'endless' | 'stream';
  /** Statuses beside 2xx that are an answer and not an error. */
  readonly accept?: readonly number[];
}

export interface EngineReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** One engine's connection pool: versions, time-outs, error answers, observation. Redirects are errors. */
export interface EngineConnection {
  readonly endpoint: string;
  apiVersion(): Promise<string>;
  ping(signal?: AbortSignal): Promise<void>;
  /** Sends a read and parses the JSON answer; undefined for accepted statuses other than 2xx. */
  read<T>(call: EngineCall): Promise<T | undefined>;
  /**
   * Sends a call that changes something, observed. `consume` reads the answer, with the call as it was sent; its end is
   * the end of the call. Left out, the answer is read and forgotten. Patience is `change` unless the call says otherwise.
   */
  change(call: EngineCall): Promise<void>;
  change<T>(call: EngineCall, consume: (reply: EngineReply, call: EngineCall) => Promise<T>): Promise<T>;
  /** Like `change` for a call that waits and changes nothing: not observed. */
  attend<T>(call: EngineCall, consume: (reply: EngineReply, call: EngineCall) => Promise<T>): Promise<T>;
  /** Reads the whole body as JSON. */
  json<T>(reply: EngineReply, call: EngineCall): Promise<T>;
  /** Sends a call whose body the caller reads with `chunks`. */
  open(call: EngineCall): Promise<EngineReply>;
  /** The body in chunks, transport errors told as `engine_unreachable`. Ends quietly when the call's signal is aborted. */
  chunks(call: EngineCall, body: Readable): AsyncGenerator<Buffer>;
  close(): Promise<void>;
}

export function createConnection(options: ConnectionOptions): EngineConnection {
  const { endpoint, log, observe } = options;
  const timeoutMs = options.timeoutMs ?? 30_000;
  const changeTimeoutMs = options.changeTimeoutMs ?? 120_000;
  const place = { endpoint, secure: options.tls !== undefined || endpoint.startsWith('https://'), timeoutMs };
  const pool = options.refusal === undefined ? createPool(options, timeoutMs) : undefined;
  let negotiated: Promise<string> | undefined;

  function fail(error: unknown, signal?: AbortSignal): unknown {
    if (error instanceof EngineError) return error;
    if (signal?.aborted) return signal.reason;
    // Another engine may answer next time.
    negotiated = undefined;
    return unreachable(place, error);
  }

  async function send(path: string, call: EngineCall): Promise<EngineReply> {
    const { patience = 'read', signal } = call;
    const limited = patience === 'read' || patience === 'stream';
    const content = contentOf(call);
    if (pool === undefined) throw new Fault('engine_unreachable', options.refusal ?? '');
    try {
      const { statusCode, headers, body } = await pool.request({
        method: call.method,
        path,
        headers: { ...content.headers, ...call.headers },
        headersTimeout: limited ? timeoutMs : 0,
        bodyTimeout: patience === 'read' ? timeoutMs : 0,
        ...(content.body === undefined ? {} : { body: content.body }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { status: statusCode, headers, body };
    } catch (error) {
      throw fail(error, signal);
    }
  }

  async function open(call: EngineCall): Promise<EngineReply> {
    const version = await apiVersion();
    const reply = await send(`/v${version}${call.path}`, call);
    if ((reply.status >= 200 && reply.status < 300) || call.accept?.includes(reply.status)) return reply;
    throw await errorOf(call, reply);
  }

  async function errorOf(call: EngineCall, reply: EngineReply): Promise<EngineError> {
    const name = `${call.method} ${call.path}`;
    if (reply.status >= 300 && reply.status < 400) {
      reply.body.on('error', () => {}).destroy();
      const target = String(reply.headers['location'] ?? 'another place');
      return new EngineError(reply.status, name, `The engine redirects to ${target}; redirects are never followed.`);
    }
    return new EngineError(reply.status, name, messageOf(await text(call, reply.body), reply.status));
  }

  async function* chunks(call: EngineCall, body: Readable): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of body) yield chunk as Buffer;
    } catch (error) {
      if (call.signal?.aborted) return;
      throw fail(error);
    } finally {
      body.on('error', () => {}).destroy();
    }
  }

  async function text(call: EngineCall, body: Readable): Promise<string> {
    const parts: Buffer[] = [];
    for await (const part of chunks(call, body)) parts.push(part);
    call.signal?.throwIfAborted();
    return Buffer.concat(parts).toString('utf8');
  }

  async function read<T>(call: EngineCall): Promise<T | undefined> {
    const reply = await open(call);
    if (reply.status < 300) return json<T>(reply, call);
    await text(call, reply.body);
    return undefined;
  }

  async function json<T>(reply: EngineReply, call: EngineCall): Promise<T> {
    const content = await text(call, reply.body);
    try {
      return JSON.parse(content) as T;
    } catch (cause) {
      const detail = `The answer of ${endpoint} to ${call.method} ${call.path} is not JSON. Is it a Docker Engine?`;
      throw new Fault('engine_refused', detail, { cause });
    }
  }

  async function change<T>(
    call: EngineCall,
    consume?: (reply: EngineReply, call: EngineCall) => Promise<T>,
  ): Promise<T | undefined> {
    const name = `${call.method} ${call.path}`;
    await observe?.before(name);
    let result: T | undefined;
    try {
      result = await attend<T | undefined>({ patience: 'change', ...call }, async (reply, sent) => {
        if (consume !== undefined) return consume(reply, sent);
        await text(sent, reply.body);
        return undefined;
      });
    } catch (error) {
      await observe?.after(name, error);
      throw error;
    }
    await observe?.after(name);
    return result;
  }

  /** Pings the engine while a patient call waits, and ends the call with the reason when it no longer answers. */
  async function attend<T>(
    call: EngineCall,
    consume: (reply: EngineReply, call: EngineCall) => Promise<T>,
  ): Promise<T> {
    const watch = new AbortController();
    const signal = call.signal === undefined ? watch.signal : AbortSignal.any([watch.signal, call.signal]);
    let pinging = false;
    const look = setInterval(() => {
      if (pinging) return;
      pinging = true;
      ping().then(
        () => {
          pinging = false;
        },
        (error: unknown) => watch.abort(error),
      );
    }, timeoutMs / 2);
    const limit =
      call.patience === 'endless'
        ? undefined
        : setTimeout(() => watch.abort(tooLong(call, changeTimeoutMs)), changeTimeoutMs);
    const sent = { ...call, signal };
    try {
      return await consume(await open(sent), sent);
    } catch (error) {
      throw watch.signal.aborted ? fail(watch.signal.reason) : error;
    } finally {
      clearInterval(look);
      clearTimeout(limit);
    }
  }

  function tooLong(call: EngineCall, milliseconds: number): Fault {
    const seconds = Math.round(milliseconds / 1000);
    return new Fault(
      'engine_unreachable',
      `The engine at ${endpoint} did not finish ${call.method} ${call.path} within ${seconds} s. Whether it took effect is not known.`,
    );
  }

  async function greet(signal?: AbortSignal): Promise<string> {
    const call: EngineCall = { method: 'GET', path: '/_ping', signal };
    const reply = await send('/_ping', call);
    if (reply.status !== 200) throw await errorOf(call, reply);
    await text(call, reply.body);
    const offered = String(reply.headers['api-version'] ?? oldestKnown);
    const version = negotiateVersion(offered);
    if (version !== undefined) return version;
    throw new Fault(
      'engine_refused',
      `The engine at ${endpoint} speaks API ${offered}; Evenkeel needs ${oldestKnown} (Docker 20.10) or newer. Update Docker.`,
    );
  }

  function apiVersion(): Promise<string> {
    if (negotiated !== undefined) return negotiated;
    const attempt = greet();
    negotiated = attempt;
    attempt.then(
      (version) => log.debug({ endpoint, version }, 'engine API version negotiated'),
      () => {
        if (negotiated === attempt) negotiated = undefined;
      },
    );
    return attempt;
  }

  async function ping(signal?: AbortSignal): Promise<void> {
    const version = await greet(signal);
    negotiated = Promise.resolve(version);
  }

  return {
    endpoint,
    apiVersion,
    ping,
    read,
    change: change as EngineConnection['change'],
    attend,
    open,
    chunks,
    json,
    close: async () => pool?.destroy(),
  };
}

function createPool({ endpoint, tls }: ConnectionOptions, timeoutMs: number): Pool {
  const { origin, socketPath } = parseEndpoint(endpoint, tls !== undefined);
  return new Pool(origin, {
    connections: null,
    connect: { timeout: Math.min(timeoutMs, 10_000), ...(socketPath === undefined ? (tls ?? {}) : { socketPath }) },
  });
}

function contentOf(call: EngineCall): { headers: Record<string, string>; body?: string | Uint8Array | Readable } {
  if (call.raw !== undefined) return { headers: { 'content-type': call.raw.type }, body: call.raw.body };
  if (call.json === undefined) return { headers: {} };
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(call.json) };
}

/** Engines answer errors as `{"message": "…"}`; proxies before them as anything. */
function messageOf(content: string, status: number): string {
  try {
    const parsed: unknown = JSON.parse(content);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message).trim();
  } catch {
    // Not JSON: the text itself is the message.
  }
  return content.trim().slice(0, 500) || `status ${status}`;
}
