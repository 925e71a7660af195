import { isLoopbackName } from './address-guard.ts';
import { AttemptFailure, codeOf, isCertificateProblem, networkFailure } from './network-failure.ts';
import { RegistryError } from './registry-client.ts';
import type { FetchAnswer, Reach, RegistryFetch } from './registry-fetch.ts';
import { endpointOf, type RegistryTrust, sameHost } from './registry-trust.ts';

export interface SendRequest {
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  /** Goes to the host of the first request only; a redirect to another host loses it. */
  readonly authorization: string | undefined;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
}

export interface TransportOptions {
  readonly fetcher: RegistryFetch;
  readonly trustFor: (host: string) => RegistryTrust | undefined;
  readonly timeoutMilliseconds: number;
  /** Called for each answer and each failure to get one (status 0). */
  readonly onAnswer: (host: string, method: string, status: number) => void;
}

/** Sends to a registry, or to a service that it names, over the right scheme and with the right trust. Throws `AttemptFailure`. */
export interface RegistryTransport {
  /** `target` begins with a slash. */
  send(host: string, target: string, request: SendRequest): Promise<FetchAnswer>;
  /** To a URL that the registry has named: its token service. */
  sendElsewhere(host: string, url: URL, request: SendRequest): Promise<FetchAnswer>;
  /** True where credentials may travel to this URL: TLS, or a host for which plain HTTP is allowed. */
  mayCarrySecrets(url: URL): boolean;
}

const noTrust: RegistryTrust = { insecure: false, ca: undefined, tokenHosts: [] };
const mostRedirects = 3;

export function createRegistryTransport(options: TransportOptions): RegistryTransport {
  const { fetcher, timeoutMilliseconds, onAnswer } = options;
  const schemes = new Map<string, 'https' | 'http'>();
  const trustFor = (host: string): RegistryTrust => options.trustFor(host) ?? noTrust;

  function plainAllowed(host: string): boolean {
    return trustFor(host).insecure || isLoopbackName(hostnameOf(host));
  }

  /**
   * How far inside a request may go (docs/decisions/registry-reach.md). Whom an administrator has named may stand anywhere. Other
   * registries are asked because an image of a managed engine came from them: they may stand on a private network, not on our
   * loopback. A registry's word (a redirect, a token service) leads no further inside than the registry itself stands.
   */
  function reachOf(host: string, url: URL): Reach {
    const own = new URL(`${url.protocol}//${endpointOf(host)}`);
    const isOwn = url.host === own.host;
    const named = options.trustFor(url.host) !== undefined || (isOwn && options.trustFor(host) !== undefined);
    if (named || trustFor(host).tokenHosts.some((one) => sameHost(one, url))) return 'loopback';
    if (isOwn) return 'private';
    const standing = fetcher.standingOf(own.hostname)?.outermost;
    return standing === 'loopback' || standing === 'private' ? standing : 'public';
  }

  async function follow(host: string, start: URL, request: SendRequest): Promise<FetchAnswer> {
    let url = start;
    let { authorization } = request;
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      // Asked at each send: permissions change while answers and tokens are remembered.
      if (!mayCarrySecrets(url)) authorization = undefined;
      const answer = await exchange(host, url, request, authorization);
      const location = answer.header('location');
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
      if (!URL.canParse(location, url)) throw broken(host, 'redirects to something that is no address');
      const next = new URL(location, url);
      if (next.protocol !== 'https:' && (next.protocol !== 'http:' || url.protocol === 'https:')) {
        throw broken(host, `redirects to ${next.protocol.slice(0, 12)} which is not allowed`);
      }
      if (next.host !== url.host) authorization = undefined;
      url = next;
    }
    throw broken(host, `redirects more than ${mostRedirects} times`);
  }

  async function exchange(
    host: string,
    url: URL,
    request: SendRequest,
    authorization: string | undefined,
  ): Promise<FetchAnswer> {
    const timeout = AbortSignal.timeout(timeoutMilliseconds);
    const ca = trustFor(url.host).ca ?? trustFor(host).ca;
    const reach = reachOf(host, url);
    try {
      const answer = await fetcher.fetch({
        method: request.method,
        url,
        headers: { ...request.headers, ...(authorization === undefined ? {} : { authorization }) },
        signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
        reach,
        ca,
        maxBytes: request.maxBytes,
      });
      onAnswer(host, request.method, answer.status);
      return answer;
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      const discreet = reach !== 'loopback' && fetcher.standingOf(url.hostname)?.innermost === 'private';
      throw networkFailure(host, timeout.aborted ? timeout.reason : error, { timeoutMilliseconds, discreet });
    }
  }

  async function send(host: string, target: string, request: SendRequest): Promise<FetchAnswer> {
    const endpoint = endpointOf(host);
    const known = plainAllowed(host) ? schemes.get(host) : 'https';
    let withTls: unknown;
    if (known !== 'http') {
      try {
        const answer = await follow(host, new URL(`https://${endpoint}${target}`), request);
        schemes.set(host, 'https');
        return answer;
      } catch (error) {
        schemes.delete(host);
        if (known === 'https' || !isNoTls(error)) throw noted(host, request, error);
        withTls = error;
      }
    }
    try {
      const answer = await follow(host, new URL(`http://${endpoint}${target}`), request);
      // A port that speaks TLS says 400 to plain HTTP; then it is TLS that failed, and nothing is to be remembered.
      if (answer.status === 400) schemes.delete(host);
      else schemes.set(host, 'http');
      if (answer.status === 400 && withTls !== undefined && !speaksPlainly(withTls)) throw withTls;
      return answer;
    } catch (error) {
      schemes.delete(host);
      throw noted(host, request, error);
    }
  }

  /** Trying whether a host speaks TLS is no failed request; this is one. */
  function noted(host: string, request: SendRequest, error: unknown): unknown {
    if (error instanceof AttemptFailure && error.unanswered) onAnswer(host, request.method, 0);
    return error;
  }

  const mayCarrySecrets = (url: URL): boolean =>
    url.protocol === 'https:' || (url.protocol === 'http:' && plainAllowed(url.host));

  return {
    send,
    sendElsewhere(host, url, request) {
      const usable =
        url.protocol === 'https:' || (url.protocol === 'http:' && (plainAllowed(host) || plainAllowed(url.host)));
      if (!usable) throw broken(host, `names a token service without TLS (${url.origin.slice(0, 80)})`);
      return follow(host, url, request);
    },
    mayCarrySecrets,
  };
}

/** The other side does not speak TLS. A certificate that is not trusted is no reason to go on in the clear. */
function isNoTls(error: unknown): boolean {
  if (!(error instanceof AttemptFailure) || !error.unanswered) return false;
  const cause = error.error.cause;
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  return !timedOut && !isCertificateProblem(codeOf(cause));
}

/** The other side answered our TLS greeting in the clear. */
function speaksPlainly(error: unknown): boolean {
  const code = error instanceof AttemptFailure ? codeOf(error.error.cause) : '';
  return code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
}

function broken(host: string, what: string): AttemptFailure {
  return new AttemptFailure(new RegistryError('broken', host, `The registry ${host} ${what}.`));
}

function hostnameOf(host: string): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : host;
}
