import { AddressRefused } from './address-guard.ts';
import { RegistryError } from './registry-client.ts';
import { BodyTooLarge } from './registry-fetch.ts';

/** A try that failed, and whether another one makes sense. */
export class AttemptFailure extends Error {
  readonly error: RegistryError;
  readonly retry: boolean;
  /** What the registry asked us to wait, in milliseconds. */
  readonly wait: number | undefined;
  /** The registry asked everybody to slow down. */
  readonly throttled: boolean;
  /** Nothing answered: a dead or unreachable host, not a bad answer. */
  readonly unanswered: boolean;

  constructor(
    error: RegistryError,
    options: { retry?: boolean; wait?: number | undefined; throttled?: boolean; unanswered?: boolean } = {},
  ) {
    super(error.message, { cause: error });
    this.error = error;
    this.retry = options.retry ?? false;
    this.wait = options.wait;
    this.throttled = options.throttled ?? false;
    this.unanswered = options.unanswered ?? false;
  }
}

const passing: ReadonlySet<string> = new Set(['ECONNRESET', 'ETIMEDOUT', 'EAI_AGAIN', 'EPIPE', 'UND_ERR_SOCKET']);
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'cut the connection',
  EPIPE: 'cut the connection',
  UND_ERR_SOCKET: 'cut the connection',
  ETIMEDOUT: 'cannot be reached in time',
  UND_ERR_CONNECT_TIMEOUT: 'cannot be reached in time',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ENOTFOUND: 'is not known to the name service',
  EAI_AGAIN: 'cannot be resolved: the name service does not answer',
};

export function codeOf(error: unknown): string {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    if (current instanceof AggregateError) return codeOf(current.errors[0]);
  }
  return '';
}

export function isCertificateProblem(code: string): boolean {
  return /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA)/.test(code);
}

/**
 * The same for every way of not getting through, so that an image's name cannot be used to find out which addresses and ports of
 * a private network are open (docs/decisions/registry-reach.md).
 */
function discreetFailure(host: string, plain: AttemptFailure): AttemptFailure {
  const text = `The registry ${host} stands on a private network and cannot be talked to. Store the registry to be told why, and to give it a certificate authority or allow plain HTTP.`;
  const error = new RegistryError('sick', host, text, { cause: plain.error.cause });
  return new AttemptFailure(error, { retry: plain.retry, unanswered: true });
}

/**
 * Turns whatever a connection threw into a sentence, and says whether trying again makes sense. `discreet`: the sentence does not
 * tell what happened.
 */
export function networkFailure(
  host: string,
  error: unknown,
  { timeoutMilliseconds, discreet }: { timeoutMilliseconds: number; discreet: boolean },
): AttemptFailure {
  if (error instanceof AddressRefused || error instanceof BodyTooLarge) {
    const way =
      error instanceof AddressRefused && error.kind === 'loopback'
        ? ' Store the registry if this machine is to be asked for it.'
        : '';
    const text = `The registry ${host}: ${error.message}.${way}`;
    return new AttemptFailure(new RegistryError('broken', host, text, { cause: error }));
  }
  const plain = plainFailure(host, error, timeoutMilliseconds);
  return discreet ? discreetFailure(host, plain) : plain;
}

function plainFailure(host: string, error: unknown, timeoutMilliseconds: number): AttemptFailure {
  if (error instanceof Error && error.name === 'TimeoutError') {
    const text = `The registry ${host} did not answer within ${timeoutMilliseconds / 1000} seconds.`;
    return new AttemptFailure(new RegistryError('sick', host, text, { cause: error }), { unanswered: true });
  }
  const code = codeOf(error);
  if (isCertificateProblem(code)) {
    const text = `The certificate of the registry ${host} is not trusted (${code}). Store the registry with its certificate authority, or mend the certificate.`;
    return new AttemptFailure(new RegistryError('sick', host, text, { cause: error }), { unanswered: true });
  }
  const reason =
    reasons[code] ?? `cannot be talked to (${code || (error instanceof Error ? error.message : String(error))})`;
  const failure = new RegistryError('sick', host, `The registry ${host} ${reason}.`, { cause: error });
  return new AttemptFailure(failure, { retry: passing.has(code), unanswered: true });
}
