import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { parseChallenges } from './challenge.ts';
import { AttemptFailure } from './network-failure.ts';
import { RegistryError } from './registry-client.ts';
import { TokenAnswer } from './registry-documents.ts';
import type { FetchAnswer } from './registry-fetch.ts';
import type { RegistryTransport } from './registry-transport.ts';
import { isTokenHost, type RegistryCredential, type RegistryTrust } from './registry-trust.ts';
import { statusFailure } from './status-failure.ts';

export interface RegistryAuthOptions {
  readonly clock: Clock;
  readonly transport: RegistryTransport;
  readonly credentialsFor: CredentialSource;
  readonly trustFor: (host: string) => RegistryTrust | undefined;
}

/** The credentials for a host, at hand or to be waited for. */
export type CredentialSource = (
  host: string,
) => RegistryCredential | undefined | Promise<RegistryCredential | undefined>;

/** Signs in to registries: Basic, or a token per repository (Docker Registry v2 token specification). */
export interface RegistryAuth {
  /** This repository will be asked for; tokens are fetched for several together. Returns the way to take it back. */
  want(host: string, repository: string): () => void;
  /** The header for a request, as far as the host's way of signing in is known. */
  header(host: string, repository: string, signal: AbortSignal | undefined): Promise<string | undefined>;
  /** After a 401: the header to try next. Throws `AttemptFailure` (denied) when there is none left. `round` counts the 401s from 1. */
  afterRefusal(
    host: string,
    repository: string,
    answer: FetchAnswer,
    round: number,
    signal: AbortSignal | undefined,
  ): Promise<string>;
  /** True where a request with this header proves that the present credentials hold: they are in it, or have bought it. */
  provesCredentials(host: string, header: string | undefined): Promise<boolean>;
  /** Host of the token service, as far as it is known and there is one. */
  tokenService(host: string): string | undefined;
}

type Way =
  | { readonly kind: 'basic' }
  | { readonly kind: 'token'; readonly realm: URL; readonly service: string | undefined };
interface Token {
  readonly header: string;
  readonly until: number;
  readonly alone: boolean;
  /** Bought with credentials, not anonymously. */
  readonly signedIn: boolean;
}

/** Who asks a token service, and with what. */
interface Bidder {
  readonly host: string;
  readonly way: Way & { readonly kind: 'token' };
  readonly credential: RegistryCredential | undefined;
}

const mostScopes = 40;
const mostTokens = 5000;
const mostTokenCharacters = 64 * 1024;

export function createRegistryAuth({ clock, transport, credentialsFor, trustFor }: RegistryAuthOptions): RegistryAuth {
  const ways = new Map<string, Way>();
  const wanted = new Map<string, Map<string, number>>();
  const tokens = new Map<string, Token>();
  const pending = new Map<string, Promise<Token>>();
  const noBatch = new Set<string>();

  function keyOf({ host, way, credential }: Bidder, repository: string): string {
    const print = credential
      ? createHash('sha256').update(`${credential.username}\0${credential.password}`).digest('hex')
      : '';
    return [host, way.realm.href, way.service ?? '', print, repository].join(' ');
  }

  async function tokenFor(
    bidder: Bidder,
    repository: string,
    single: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const { host } = bidder;
    const key = keyOf(bidder, repository);
    const known = tokens.get(key);
    if (known && known.until > clock.now() && !(single && !known.alone)) return known;
    const running = pending.get(key);
    if (running && !single) return running;
    const others = single || noBatch.has(host) ? [] : othersWanted(bidder, repository);
    const repositories = [repository, ...others];
    const work = fetchToken(bidder, repositories, signal).catch(async (error: unknown) => {
      const refused = error instanceof AttemptFailure && !error.retry && !error.unanswered;
      if (others.length === 0 || !refused) throw error;
      const token = await fetchToken(bidder, [repository], signal);
      // It was the number of scopes, or one of them, that the service refused: ask for each alone from now on.
      noBatch.add(host);
      return token;
    });
    const keys = repositories.map((one) => keyOf(bidder, one));
    for (const one of keys) pending.set(one, work);
    try {
      const token = await work;
      const covered = token.alone ? [key] : keys;
      for (const one of covered) remember(one, token);
      return token;
    } finally {
      for (const one of keys) if (pending.get(one) === work) pending.delete(one);
    }
  }

  function othersWanted(bidder: Bidder, repository: string): string[] {
    const others: string[] = [];
    for (const one of wanted.get(bidder.host)?.keys() ?? []) {
      if (one === repository || one === '' || others.length >= mostScopes - 1) continue;
      const key = keyOf(bidder, one);
      if ((tokens.get(key)?.until ?? 0) <= clock.now() && !pending.has(key)) others.push(one);
    }
    return repository === '' ? [] : others;
  }

  function remember(key: string, token: Token): void {
    tokens.delete(key);
    tokens.set(key, token);
    const [oldest] = tokens.keys();
    if (tokens.size > mostTokens && oldest !== undefined) tokens.delete(oldest);
  }

  async function fetchToken(
    { host, way, credential }: Bidder,
    repositories: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const url = new URL(way.realm);
    if (way.service !== undefined) url.searchParams.set('service', way.service);
    for (const repository of repositories) {
      if (repository !== '') url.searchParams.append('scope', `repository:${repository}:pull`);
    }
    const trusted = isTokenHost(host, url, trustFor(host) ?? { insecure: false, ca: undefined, tokenHosts: [] });
    const carries = credential !== undefined && trusted && transport.mayCarrySecrets(url);
    const answer = await transport.sendElsewhere(host, url, {
      method: 'GET',
      headers: { accept: 'application/json' },
      authorization: carries ? basic(credential) : undefined,
      maxBytes: 1_048_576,
      signal,
    });
    if (answer.status !== 200) {
      const withheld = credential !== undefined && !carries;
      throw refusalOf(host, url, answer, { carries, withheld }, clock.now());
    }
    const parsed = TokenAnswer.safeParse(jsonOf(answer.body));
    const text = parsed.data?.token ?? parsed.data?.access_token;
    if (text === undefined || text.length > mostTokenCharacters || /[^\x21-\x7e]/.test(text)) {
      throw new AttemptFailure(
        new RegistryError('broken', host, `The token service ${url.host} of ${host} gave no token.`),
      );
    }
    const seconds = parsed.data?.expires_in ?? 60;
    const until = clock.now() + (seconds - 30) * 1000;
    return { header: `Bearer ${text}`, until, alone: repositories.length === 1, signedIn: carries };
  }

  function basicHeader(host: string, url: URL, credential: RegistryCredential | undefined): string {
    if (credential === undefined)
      throw denied(host, `The registry ${host} asks for credentials, and none are stored for it.`);
    if (!transport.mayCarrySecrets(url)) {
      throw denied(
        host,
        `The credentials for ${host} are not sent without TLS. Use TLS, or mark the registry as insecure.`,
      );
    }
    return basic(credential);
  }

  return {
    want(host, repository) {
      const counts = wanted.get(host) ?? new Map<string, number>();
      wanted.set(host, counts);
      counts.set(repository, (counts.get(repository) ?? 0) + 1);
      return () => {
        const left = (counts.get(repository) ?? 1) - 1;
        if (left > 0) counts.set(repository, left);
        else counts.delete(repository);
      };
    },
    async header(host, repository, signal) {
      const way = ways.get(host);
      if (way === undefined) return undefined;
      const credential = await credentialsFor(host);
      if (way.kind === 'basic') return credential === undefined ? undefined : basic(credential);
      return (await tokenFor({ host, way, credential }, repository, false, signal)).header;
    },
    async afterRefusal(host, repository, answer, round, signal) {
      const challenges = parseChallenges(answer.challenges);
      const bearer = challenges.find(
        ({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'] !== undefined,
      );
      const realm = bearer?.parameters['realm'] ?? '';
      const credential = await credentialsFor(host);
      if (bearer && URL.canParse(realm)) {
        const way = { kind: 'token', realm: new URL(realm), service: bearer.parameters['service'] } as const;
        ways.set(host, way);
        if (round > 2) throw denied(host, refusedText(host, repository));
        const bidder = { host, way, credential };
        const key = keyOf(bidder, repository);
        const token = tokens.get(key);
        // What the registry refuses is not shown to it again, whatever its time: it may have been taken back.
        if (token?.header === answer.sentAuthorization) tokens.delete(key);
        // A fresh token for this repository alone that was refused is the last word; one for several may just lack this one.
        if (round === 2 && token?.alone) throw denied(host, refusedText(host, repository));
        return (await tokenFor(bidder, repository, round === 2, signal)).header;
      }
      if (challenges.some(({ scheme }) => scheme === 'basic')) {
        ways.set(host, { kind: 'basic' });
        const header = basicHeader(host, answer.url, credential);
        if (round > 1 || answer.sentAuthorization === header) {
          throw denied(host, `The registry ${host} refused the stored credentials.`);
        }
        return header;
      }
      throw denied(host, `The registry ${host} refuses access and names no way of signing in that we know.`);
    },
    tokenService(host) {
      const way = ways.get(host);
      return way?.kind === 'token' ? way.realm.host : undefined;
    },
    async provesCredentials(host, header) {
      const credential = await credentialsFor(host);
      if (credential === undefined || header === undefined) return false;
      return header === basic(credential) || [...tokens.values()].some((one) => one.signedIn && one.header === header);
    },
  };
}

function refusalOf(
  host: string,
  url: URL,
  answer: FetchAnswer,
  { carries, withheld }: { carries: boolean; withheld: boolean },
  now: number,
): AttemptFailure {
  if (answer.status !== 401 && answer.status !== 403 && answer.status !== 400 && answer.status !== 404) {
    return statusFailure(host, answer, `The token service ${url.host} of ${host}`, now);
  }
  if (carries)
    return denied(host, `The token service ${url.host} of ${host} refused the stored credentials (${answer.status}).`);
  if (withheld) {
    return denied(
      host,
      `The token service ${url.host} of ${host} asks for credentials. They are given only to the registry itself: name ${url.host} as token host of this registry if it belongs to it.`,
    );
  }
  return denied(
    host,
    `The token service ${url.host} of ${host} gives no token without credentials (${answer.status}).`,
  );
}

function refusedText(host: string, repository: string): string {
  return `The registry ${host} refuses access to ${repository || 'its API'}: it does not exist, or the credentials do not reach it.`;
}

function denied(host: string, text: string): AttemptFailure {
  return new AttemptFailure(new RegistryError('denied', host, text));
}

function basic({ username, password }: RegistryCredential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
