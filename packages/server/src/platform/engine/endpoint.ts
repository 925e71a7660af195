import { Fault } from '../fault.ts';

/** Where an engine listens, as the connection pool wants it. */
export interface EngineAddress {
  readonly origin: string;
  readonly socketPath: string | undefined;
}

/**
 * Reads `unix:///var/run/docker.sock`, `tcp://host:2375`, `http://…` and `https://…`; `tcp` with TLS material is `https`.
 * Throws `bad_input` with what was wrong.
 */
export function parseEndpoint(endpoint: string, secure: boolean): EngineAddress {
  if (endpoint.startsWith('unix://')) {
    const socketPath = endpoint.slice('unix://'.length);
    if (!socketPath.startsWith('/')) {
      throw new Fault(
        'bad_input',
        `The engine endpoint "${endpoint}" needs an absolute path, as in unix:///var/run/docker.sock.`,
      );
    }
    return { origin: 'http://docker', socketPath };
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new Fault(
      'bad_input',
      `"${endpoint}" is not an engine endpoint. Write unix:///var/run/docker.sock or tcp://host:2376.`,
    );
  }
  const scheme = secure || url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? defaultPort(url.protocol, scheme) : url.port;
  return { origin: `${scheme}://${url.hostname}:${port}`, socketPath: undefined };
}

/** Docker's own ports for `tcp`, the web's for the others. */
function defaultPort(protocol: string, scheme: 'http' | 'https'): string {
  if (protocol === 'tcp:') return scheme === 'https' ? '2376' : '2375';
  return scheme === 'https' ? '443' : '80';
}
