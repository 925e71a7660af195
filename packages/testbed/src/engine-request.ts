import { Agent, request as send } from 'undici';

/** The engine's answer to a raw request. */
export interface EngineResponse {
  status: number;
  /** Parsed when the engine says it is JSON; the last line's value is not picked out of a stream: that stays text. */
  body: unknown;
  text: string;
}

const agents = new Map<string, Agent>();

/** One request to an engine's Unix socket. The path is used as it is, so give the version ("/v1.41/…") when it matters. */
export async function request(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<EngineResponse> {
  let agent = agents.get(socketPath);
  if (agent === undefined) {
    // A killed daemon leaves dead connections behind, so none is kept for long.
    agent = new Agent({ connect: { socketPath }, keepAliveTimeout: 100, headersTimeout: 0, bodyTimeout: 0 });
    agents.set(socketPath, agent);
  }
  const raw = Buffer.isBuffer(body) || body === undefined;
  const response = await send(`http://engine${path}`, {
    dispatcher: agent,
    method: method as 'GET',
    ...(body === undefined ? {} : { body: raw ? (body as Buffer) : JSON.stringify(body) }),
    headers: { ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }), ...headers },
  });
  const text = await response.body.text();
  return { status: response.statusCode, body: parse(text, response.headers['content-type']), text };
}

function parse(text: string, type: string | string[] | undefined): unknown {
  if (!String(type).includes('json')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
