import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerInspect, ContainerSummary, EngineInfo, EngineVersion } from '../engine-types.ts';

interface Recorded {
  readonly info: EngineInfo;
  readonly version: EngineVersion;
  readonly summary: ContainerSummary;
  readonly inspect: ContainerInspect;
}

/** What a Docker Engine 20.10 answered once. */
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'recorded.json'), 'utf8')) as Recorded;

/** Speaks the Engine API over a Unix socket with recorded answers: for numbers of containers and faults that a real one cannot show quickly. */
export interface RecordedEngine {
  readonly endpoint: string;
  /** `GET /containers/json?all=1`, without the version, oldest first. */
  readonly calls: readonly string[];
  /** A container that runs, made without an event. Its id. */
  put(name: string, part?: { status?: string; startedAt?: string }): string;
  /** Gone without an event. */
  remove(id: string): void;
  /** Sends an event to everybody who follows. */
  event(type: string, action: string, id: string, attributes?: Readonly<Record<string, string>>): void;
  /** Answers inspections of this container with 500, until it is called with `false`. */
  failInspect(id: string, fails: boolean): void;
  /** Never answers inspections of this container, until it is called with `false`. */
  hangInspect(id: string, hangs: boolean): void;
  /** Appends a line to the output of a container, and sends it to those who follow. */
  write(id: string, text: string): void;
  /** Ends the followed output of a container, as its stop does. */
  endLogs(id: string): void;
  /** How many streams follow the output of a container. */
  followers(id: string): number;
  /** Takes orders to start, stop or restart a container and does not answer them, until it is called with `false`. */
  hangOrders(hangs: boolean): void;
  /** Ends every connection, and each new one at once, until it is called with `true`. */
  reachable(reachable: boolean): void;
  stop(): Promise<void>;
}

interface Kept {
  readonly id: string;
  name: string;
  status: string;
  startedAt: string;
  readonly lines: { at: string; text: string }[];
  readonly followers: Set<ServerResponse>;
}

export async function startRecordedEngine(): Promise<RecordedEngine> {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-recorded-'));
  const socketPath = join(directory, 'docker.sock');
  const containers = new Map<string, Kept>();
  const failing = new Set<string>();
  const hanging = new Set<string>();
  const following = new Set<ServerResponse>();
  const calls: string[] = [];
  let reachable = true;
  let delayed: (() => void)[] | undefined;
  let made = 0;
  let written = 0;

  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/v\d+\.\d+/, '');
    calls.push(`${request.method} ${path}`);
    answer(request, response, new URL(path, 'http://docker'));
  });
  server.on('connection', (socket) => {
    if (!reachable) socket.destroy();
  });

  function answer(request: IncomingMessage, response: ServerResponse, { pathname, searchParams }: URL): void {
    request.resume();
    response.setHeader('api-version', '1.41');
    const [, id = '', verb] = /^\/containers\/([0-9a-f]{64})\/(json|logs|start|stop|restart)$/.exec(pathname) ?? [];
    const container = containers.get(id);
    if (pathname === '/_ping') response.end('OK');
    else if (pathname === '/info') json(response, { ...recorded.info, SystemTime: new Date().toISOString() });
    else if (pathname === '/version') json(response, recorded.version);
    else if (pathname === '/events') follow(following, response);
    else if (pathname === '/containers/json') json(response, [...containers.values()].map(summaryOf));
    else if (hanging.has(id) && verb === 'json') return;
    else if (failing.has(id) && verb === 'json')
      json(response, { message: 'readlink /var/lib/docker: input/output error' }, 500);
    else if (container === undefined) json(response, { message: `No such container: ${id}` }, 404);
    else if (verb === 'json') json(response, inspectOf(container));
    else if (request.method === 'POST') order(container, verb, response);
    else logs(container, searchParams, response);
  }

  function order(container: Kept, verb: string | undefined, response: ServerResponse): void {
    container.status = verb === 'stop' ? 'exited' : 'running';
    const answered = () => void response.writeHead(204).end();
    if (delayed === undefined) answered();
    else delayed.push(answered);
  }

  function logs(container: Kept, wish: URLSearchParams, response: ServerResponse): void {
    const since = wish.get('since') ?? '';
    const all = container.lines.filter(({ at }) => engineSeconds(at) >= since);
    const tail = wish.get('tail') ?? 'all';
    const wanted = tail === 'all' ? all : all.slice(all.length - Math.min(all.length, Number(tail)));
    for (const line of wanted) response.write(frame(line));
    if (wish.get('follow') === '1' && container.status === 'running') follow(container.followers, response);
    else response.end();
  }

  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const kept = (id: string): Kept => {
    const container = containers.get(id);
    if (container === undefined) throw new Error(`The recorded engine has no container ${id}.`);
    return container;
  };
  return {
    endpoint: `unix://${socketPath}`,
    calls,
    put(name, part = {}) {
      const known = [...containers.values()].find((container) => container.name === name);
      made += 1;
      const id = known?.id ?? made.toString(16).padStart(64, '0');
      containers.set(id, {
        id,
        name,
        status: part.status ?? 'running',
        startedAt: part.startedAt ?? recorded.inspect.State.StartedAt,
        lines: known?.lines ?? [],
        followers: known?.followers ?? new Set(),
      });
      return id;
    },
    remove: (id) => void containers.delete(id),
    event(type, action, id, attributes = {}) {
      const timeNano = Date.now() * 1e6;
      const event = { Type: type, Action: action, Actor: { ID: id, Attributes: attributes }, time: 0, timeNano };
      for (const response of following) response.write(`${JSON.stringify(event)}\n`);
    },
    failInspect: (id, fails) => void (fails ? failing.add(id) : failing.delete(id)),
    hangInspect: (id, hangs) => void (hangs ? hanging.add(id) : hanging.delete(id)),
    write(id, text) {
      written += 1;
      const line = { at: `2026-11-25T10:00:00.${String(written).padStart(9, '0')}Z`, text };
      const container = kept(id);
      container.lines.push(line);
      for (const response of container.followers) response.write(frame(line));
    },
    endLogs(id) {
      for (const response of kept(id).followers) response.end();
    },
    followers: (id) => containers.get(id)?.followers.size ?? 0,
    hangOrders(hangs) {
      for (const answered of delayed ?? []) answered();
      delayed = hangs ? [] : undefined;
    },
    reachable(next) {
      reachable = next;
      if (!next) server.closeAllConnections();
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function follow(followers: Set<ServerResponse>, response: ServerResponse): void {
  followers.add(response);
  response.on('close', () => followers.delete(response));
  response.flushHeaders();
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function summaryOf({ id, name, status }: Kept): ContainerSummary {
  return { ...recorded.summary, Id: id, Names: [`/${name}`], State: status };
}

function inspectOf({ id, name, status, startedAt }: Kept): ContainerInspect {
  const State = { ...recorded.inspect.State, Status: status, Running: status === 'running', StartedAt: startedAt };
  return { ...recorded.inspect, Id: id, Name: `/${name}`, State };
}

/** A line on stdout as it travels: the 8-byte header, the time stamp, the text. */
function frame({ at, text }: { at: string; text: string }): Buffer {
  const payload = Buffer.from(`${at} ${text}\n`);
  const header = Buffer.alloc(8);
  header.writeUInt8(1, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function engineSeconds(at: string): string {
  return `${Date.parse(`${at.slice(0, 19)}Z`) / 1000}.${at.slice(20, 29)}`;
}
