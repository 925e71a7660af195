import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEngine, type EngineOptions } from './create-engine.ts';
import type { Engine } from './engine.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of ours that speaks the engine's protocol as far as a test says. */
let server: Server;
let directory: string;
let offered: string;
let answer: Answer;
const asked: string[] = [];
const engines: Engine[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'evenkeel-engine-test-'));
  offered = '1.43';
  asked.length = 0;
  answer = (_, response) => response.writeHead(404).end('{"message":"page not found"}');
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url === '/_ping') response.writeHead(200, { 'Api-Version': offered }).end('OK');
    else answer(request, response);
  });
  await listen();
});

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  await stopServer();
  rmSync(directory, { recursive: true, force: true });
});

const socketPath = () => join(directory, 'docker.sock');

function listen(): Promise<void> {
  return new Promise((resolve) => server.listen(socketPath(), resolve));
}

function stopServer(): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function connect(options: Partial<EngineOptions> = {}): Engine {
  const engine = createEngine({ endpoint: `unix://${socketPath()}`, log: pino({ level: 'silent' }), ...options });
  engines.push(engine);
  return engine;
}

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

describe('versions', () => {
  test('every path carries the highest version that both know', async () => {
    answer = (_, response) => json(response, 200, []);
    const engine = connect();
    expect(await engine.apiVersion()).toBe('1.43');
    await Promise.all([engine.containers.list(), engine.images.list()]);
    expect(asked.sort()).toEqual(['GET /_ping', 'GET /v1.43/containers/json?all=1', 'GET /v1.43/images/json']);
  });

  test('the version is negotiated again when another engine answers after a lost connection', async () => {
    answer = (_, response) => json(response, 200, []);
    const engine = connect();
    await engine.containers.list();
    await stopServer();
    await expect(engine.containers.list()).rejects.toMatchObject({ code: 'engine_unreachable' });
    offered = '1.47';
    await listen();
    await engine.containers.list();
    expect(asked.at(-1)).toBe('GET /v1.47/containers/json?all=1');
  });

  test('an engine that is too old is refused with what it needs', async () => {
    offered = '1.40';
    await expect(connect().containers.list()).rejects.toMatchObject({
      code: 'engine_refused',
      message: expect.stringContaining('1.41'),
    });
  });
});

describe('answers that are errors', () => {
  test('carry the status, the call and the message of the engine', async () => {
    answer = (_, response) => json(response, 409, { message: 'name is taken\n' });
    await expect(connect().containers.rename('a', 'b')).rejects.toMatchObject({
      name: 'EngineError',
      status: 409,
      call: 'POST /containers/a/rename?name=b',
      message: 'name is taken',
    });
  });

  test('a redirect is never followed', async () => {
    answer = (_, response) => response.writeHead(301, { location: 'http://169.254.169.254/latest' }).end();
    await expect(connect().containers.list()).rejects.toMatchObject({ name: 'EngineError', status: 301 });
    await expect(connect().containers.start('a')).rejects.toMatchObject({ name: 'EngineError', status: 301 });
    expect(asked.filter((call) => call !== 'GET /_ping')).toHaveLength(2);
  });

  test('what is not JSON is not an empty list', async () => {
    answer = (_, response) => response.writeHead(200).end('<html>It works</html>');
    await expect(connect().containers.list()).rejects.toMatchObject({ code: 'engine_refused' });
  });

  test('repeated and missing ones are no error where the call has what it wanted', async () => {
    answer = (request, response) => {
      if (request.method === 'DELETE' || request.url?.includes('/wait'))
        json(response, 404, { message: 'No such thing' });
      else response.writeHead(304).end();
    };
    const engine = connect();
    await engine.containers.start('a');
    await engine.containers.stop('a');
    await engine.containers.remove('a');
    await engine.images.remove('a:1');
    await engine.volumes.remove('a');
    expect(await engine.containers.wait('a', 'removed')).toEqual({ exitCode: undefined });
  });

  test('a name that would leave its place in the path never reaches the engine', async () => {
    const engine = connect();
    for (const name of ['..', '.', '', 'a/b', '../images/json'])
      expect(await engine.containers.inspect(name)).toBeUndefined();
    expect(await engine.images.inspect('../containers')).toBeUndefined();
    expect(asked).toEqual([]);
  });
});

describe('engines that do not answer', () => {
  test('a missing socket is named, with what to do', async () => {
    const engine = connect({ endpoint: 'unix:///nowhere/docker.sock' });
    await expect(engine.ping()).rejects.toMatchObject({
      code: 'engine_unreachable',
      message: expect.stringMatching(/no socket at \/nowhere\/docker\.sock.*EVENKEEL_ENGINE/),
    });
  });

  test('a socket that nobody listens on is named', async () => {
    await stopServer();
    await expect(connect({ endpoint: 'tcp://127.0.0.1:1' }).ping()).rejects.toMatchObject({
      code: 'engine_unreachable',
      message: expect.stringContaining('Nothing listens'),
    });
    await listen();
  });

  test('a read that gets no answer ends with the time-out', async () => {
    answer = () => {};
    await expect(connect({ timeoutMs: 100 }).containers.list()).rejects.toMatchObject({
      code: 'engine_unreachable',
      message: expect.stringContaining('did not answer'),
    });
  });

  test('a stop waits longer than the time-out while the engine answers pings', async () => {
    answer = (_, response) => {
      const pings = asked.length;
      const look = setInterval(() => {
        if (asked.length < pings + 4) return;
        clearInterval(look);
        response.writeHead(204).end();
      }, 10);
    };
    await connect({ timeoutMs: 100 }).containers.stop('a');
    expect(asked.filter((call) => call === 'GET /_ping').length).toBeGreaterThan(4);
  });

  test('a stop ends when the engine no longer answers pings', async () => {
    const engine = connect({ timeoutMs: 200 });
    await engine.apiVersion();
    server.removeAllListeners('request');
    server.on('request', () => {});
    await expect(engine.containers.stop('a')).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  test('a change that never ends is given up after its own time-out', async () => {
    answer = () => {};
    await expect(connect({ changeTimeoutMs: 100 }).containers.start('a')).rejects.toMatchObject({
      code: 'engine_unreachable',
      message: expect.stringContaining('not known'),
    });
  });

  test('a reply that is cut is told as a lost connection', async () => {
    answer = (request) => request.socket.destroy();
    await expect(connect().containers.start('a')).rejects.toMatchObject({
      code: 'engine_unreachable',
      message: expect.stringContaining('not known'),
    });
  });

  test('an abort of the caller is the reason that the caller gets', async () => {
    const controller = new AbortController();
    answer = () => controller.abort(new Error('enough'));
    await expect(connect().containers.list(controller.signal)).rejects.toThrow('enough');
  });

  test('TLS on a plain port is told as such', async () => {
    const plain = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as AddressInfo;
    await expect(connect({ endpoint: `tcp://127.0.0.1:${port}`, tls: {} }).ping()).rejects.toMatchObject({
      code: 'engine_unreachable',
      message: expect.stringContaining('TLS'),
    });
    await new Promise((resolve) => plain.close(resolve));
  });
});

describe('a pull', () => {
  const lines = (...messages: unknown[]): Answer => {
    return (_, response) => {
      response.writeHead(200);
      for (const message of messages) response.write(`${JSON.stringify(message)}\r\n`);
      response.end();
    };
  };

  test('tells its progress and sends the credentials as the engine reads them', async () => {
    let sent = '';
    const give = lines(
      { status: 'Pulling from app', id: '1' },
      { status: 'Downloading', id: 'abc', progressDetail: { current: 1, total: 2 }, progress: '[=>' },
      { status: 'Status: Downloaded newer image' },
    );
    answer = (request, response) => {
      sent = String(request.headers['x-registry-auth']);
      give(request, response);
    };
    const seen: unknown[] = [];
    const auth = { username: 'me', password: 'a?b~c>d', serveraddress: 'r.lan' };
    await connect().images.pull('r.lan/app:1', { auth, onProgress: (progress) => seen.push(progress) });
    expect(asked.at(-1)).toBe('POST /v1.43/images/create?fromImage=r.lan%2Fapp&tag=1');
    expect(seen).toEqual([
      { status: 'Pulling from app', layer: '1' },
      { status: 'Downloading', layer: 'abc', current: 1, total: 2 },
      { status: 'Status: Downloaded newer image' },
    ]);
    expect(sent.length % 4).toBe(0);
    expect(JSON.parse(Buffer.from(sent, 'base64url').toString())).toEqual(auth);
  });

  test('fails with the error that stands inside the stream of a 200', async () => {
    answer = lines({ status: 'Pulling' }, { errorDetail: { message: 'manifest unknown' }, error: 'manifest unknown' });
    await expect(connect().images.pull('app:1')).rejects.toMatchObject({
      name: 'EngineError',
      status: 0,
      message: 'manifest unknown',
    });
  });

  test('that is cut is not taken for one that ended', async () => {
    answer = (request, response) => {
      response.writeHead(200);
      response.write('{"status":"Pulling"}\r\n', () => request.socket.destroy());
    };
    await expect(connect().images.pull('app:1')).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  test('that is aborted closes its connection and rejects with the reason', async () => {
    const controller = new AbortController();
    const closed = new Promise<void>((resolve) => {
      answer = (request, response) => {
        request.socket.once('close', () => resolve());
        response.writeHead(200).write('{"status":"Pulling"}\n');
      };
    });
    const pull = connect().images.pull('app:1', {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('cancelled')),
    });
    await expect(pull).rejects.toThrow('cancelled');
    await closed;
  });
});

describe('streams', () => {
  test('leaving or aborting a followed log closes its connection', async () => {
    let close: () => void = () => {};
    answer = (request, response) => {
      request.socket.once('close', () => close());
      response.writeHead(200).write('2026-11-25T10:00:00.000000000Z one\n2026-11-25T10:00:01.000000000Z two\n');
    };
    const engine = connect();
    const left = new Promise<void>((resolve) => {
      close = resolve;
    });
    for await (const { text } of engine.containers.logs('a', { follow: true, tty: true })) {
      expect(text).toBe('one');
      break;
    }
    await left;
    const aborted = new Promise<void>((resolve) => {
      close = resolve;
    });
    const controller = new AbortController();
    const texts: string[] = [];
    const { signal } = controller;
    for await (const { text } of engine.containers.logs('a', { follow: true, tty: true, signal })) {
      texts.push(text);
      if (texts.length === 2) controller.abort();
    }
    expect(texts).toEqual(['one', 'two']);
    await aborted;
  });

  test('a reader that does not read slows the engine down instead of filling the memory', async () => {
    const line = Buffer.from(`2026-11-25T10:00:00.000000000Z ${'x'.repeat(1000)}\n`);
    const tooMuch = 64 * 1024 * 1024;
    let written = 0;
    let full = (): void => {};
    const stalled = new Promise<void>((resolve) => {
      full = resolve;
    });
    answer = (_, response) => {
      response.writeHead(200);
      const more = () => {
        let room = true;
        while (room && written < tooMuch) {
          written += line.length;
          room = response.write(line);
        }
        if (written >= tooMuch) full();
        else waitForRoom();
      };
      /** Nothing was taken for a while: the reader's side is full. */
      const waitForRoom = () => {
        const silence = setTimeout(full, 500);
        response.once('drain', () => {
          clearTimeout(silence);
          more();
        });
      };
      more();
    };
    const log = connect().containers.logs('a', { follow: true, tty: true })[Symbol.asyncIterator]();
    await log.next();
    await stalled;
    expect(written).toBeLessThan(tooMuch);
    await log.return?.();
  });

  test('events come from the moment asked for, and a stream that ends is a lost connection', async () => {
    answer = (_, response) => {
      response.writeHead(200).write('{"Type":"container","Action":"start","Actor":{"ID":"a","Attributes":{}}}\n');
      response.end();
    };
    const { signal } = new AbortController();
    const seen: string[] = [];
    const follow = async () => {
      for await (const event of connect().events({ since: '12.5', signal })) seen.push(event.Action);
    };
    await expect(follow()).rejects.toMatchObject({ code: 'engine_unreachable' });
    expect(seen).toEqual(['start']);
    expect(asked.at(-1)).toBe('GET /v1.43/events?since=12.5');
  });
});

describe('archives', () => {
  test('a missing path is undefined, a compressed archive is refused before it is sent', async () => {
    let received = 0;
    answer = (request, response) => {
      if (request.method === 'GET') {
        json(response, 404, { message: 'Could not find the file' });
        return;
      }
      request.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      request.on('end', () => response.writeHead(200).end());
    };
    const engine = connect();
    expect(await engine.containers.getArchive('a', '/x')).toBeUndefined();
    await engine.containers.putArchive('a', '/', Buffer.alloc(1024));
    expect(received).toBe(1024);
    const gzip = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    await expect(engine.containers.putArchive('a', '/', gzip)).rejects.toThrow('compressed');
    expect(received).toBe(1024);
  });
});

describe('the observer', () => {
  test('sees each change before and after it, and no read', async () => {
    const seen: string[] = [];
    const observe = {
      before: (call: string) => void seen.push(`before ${call}`),
      after: (call: string, error?: unknown) =>
        void seen.push(`after ${call}${error === undefined ? '' : ` ${(error as Error).message}`}`),
    };
    answer = (request, response) => {
      if (request.url?.includes('/start')) json(response, 500, { message: 'port is already allocated' });
      else if (request.method === 'GET') json(response, 200, []);
      else if (request.url?.includes('/wait')) json(response, 200, { StatusCode: 3 });
      else response.writeHead(204).end();
    };
    const engine = connect({ observe });
    await engine.containers.list();
    expect(await engine.containers.wait('a', 'not-running')).toEqual({ exitCode: 3 });
    await engine.containers.stop('a', { timeoutSeconds: 1 });
    await expect(engine.containers.start('a')).rejects.toThrow('port is already allocated');
    expect(seen).toEqual([
      'before POST /containers/a/stop?t=1',
      'after POST /containers/a/stop?t=1',
      'before POST /containers/a/start',
      'after POST /containers/a/start port is already allocated',
    ]);
  });
});
