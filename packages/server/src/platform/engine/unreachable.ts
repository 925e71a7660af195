import { Fault } from '../fault.ts';

export interface EnginePlace {
  readonly endpoint: string;
  /** Over TLS. */
  readonly secure: boolean;
  readonly timeoutMs: number;
}

/** Turns whatever the transport threw into `engine_unreachable` with a sentence that says what to do. */
export function unreachable(place: EnginePlace, error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('engine_unreachable', sentence(place, error), { cause: error });
}

function sentence({ endpoint, secure, timeoutMs }: EnginePlace, error: unknown): string {
  const { code, message } = rootOf(error);
  const socket = endpoint.startsWith('unix://') ? endpoint.slice('unix://'.length) : undefined;
  switch (code) {
    case 'ENOENT':
      return `There is no socket at ${socket ?? endpoint}. Start Docker (systemctl start docker), or point EVENKEEL_ENGINE at the right socket; in a container, mount the socket into it.`;
    case 'EACCES':
    case 'EPERM':
      return `Permission denied on ${socket ?? endpoint}. Run Evenkeel as a member of the socket's group (usually docker) or as root.`;
    case 'ECONNREFUSED':
      return `Nothing listens at ${socket ?? endpoint}. Start Docker (systemctl start docker), or correct EVENKEEL_ENGINE.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host name of ${endpoint} cannot be resolved. Check the name and the DNS server.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `There is no route to ${endpoint}. Check the address and the network.`;
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return `${endpoint} does not accept connections in time. Check the address, the firewall and the engine.`;
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return `The engine at ${endpoint} did not answer within ${Math.round(timeoutMs / 1000)} s. It hangs or is overloaded; look at its log (journalctl -u docker).`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      // TLS 1.3 lets a client finish its handshake before the server has looked at its certificate (RFC 8446, 4.4.2).
      return secure
        ? `The connection to the engine at ${endpoint} was lost. Whether the call took effect is not known; the engine may be restarting, or it does not accept the client certificate of this TLS connection.`
        : `The connection to the engine at ${endpoint} was lost. Whether the call took effect is not known; the engine may be restarting.`;
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return `The connection to the engine at ${endpoint} has been closed.`;
    default:
  }
  if (code.startsWith('HPE_')) {
    return `What listens at ${endpoint} does not speak HTTP as expected (${message}). Is it a TLS port, or not Docker?`;
  }
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return `The TLS connection to ${endpoint} failed: ${message}. Check the CA, the client certificate and its key.`;
  }
  return `The engine at ${endpoint} does not answer: ${message}.`;
}

/** The innermost error that has a code: undici and AggregateError wrap the one that tells the reason. */
function rootOf(error: unknown): { code: string; message: string } {
  let found = { code: '', message: error instanceof Error ? error.message : String(error) };
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string') found = { code, message: at.message || code };
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return found;
}
